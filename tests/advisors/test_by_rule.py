from progtrain.advisors.by_rule import RuleAdvisor, main_family


def ranking(proposals, findings, history=()):
    return {entry.proposal.action: entry for entry in RuleAdvisor().rank(proposals, findings, history)}


def test_the_more_severe_finding_is_answered_first(make_proposal, make_finding):
    proposals = [make_proposal("add_dropout"), make_proposal("adamw", answers="plain-sgd")]
    findings = [make_finding("plain-sgd", 0.8), make_finding("overfitting", 0.4)]
    assert list(ranking(proposals, findings)) == ["adamw", "add_dropout"]


def test_of_two_equal_chances_the_safer_one_comes_first(make_proposal, make_finding):
    proposals = [make_proposal("a_bold_one", risk="high"), make_proposal("b_safe_one", risk="low")]
    assert list(ranking(proposals, [make_finding("overfitting")])) == ["b_safe_one", "a_bold_one"]


def test_a_regression_is_taken_back_before_anything_else(make_proposal, make_finding, make_attempt):
    proposals = [
        make_proposal("adamw", answers="plain-sgd", probability=0.9, gain=0.9),
        make_proposal("take_back", answers="regressed", probability=0.1, gain=0.1),
    ]
    findings = [make_finding("regressed", 0.95), make_finding("plain-sgd", 1.0)]
    assert next(iter(ranking(proposals, findings, [make_attempt("v001")]))) == "take_back"


def test_what_made_a_version_worse_is_not_offered_again_unless_otherwise(make_proposal, make_finding, make_attempt):
    history = [make_attempt("v001"), make_attempt("v002", "add_dropout", "regressed")]
    fresh = ranking([make_proposal("add_dropout")], [make_finding("overfitting")])["add_dropout"]
    same = ranking([make_proposal("add_dropout")], [make_finding("overfitting")], history)["add_dropout"]
    other = ranking([make_proposal("add_dropout", parameters={"value": 0.3})], [make_finding("overfitting")], history)
    assert not same.offered
    assert "v002" in same.reason
    assert other["add_dropout"].offered
    assert other["add_dropout"].score < fresh.score / 2


def test_what_improved_may_be_tried_again_at_a_discount(make_proposal, make_finding, make_attempt):
    findings = [make_finding("overfitting")]
    history = [make_attempt("v001"), make_attempt("v002", "add_dropout", "improved")]
    fresh = ranking([make_proposal("add_dropout")], findings)["add_dropout"]
    once = ranking([make_proposal("add_dropout")], findings, history)["add_dropout"]
    twice = ranking(
        [make_proposal("add_dropout")], findings, [*history, make_attempt("v003", "add_dropout", "improved")]
    )
    assert fresh.score > once.score > twice["add_dropout"].score
    assert once.offered


def test_steps_within_noise_make_the_family_change(make_proposal, make_finding, make_attempt):
    proposals = [
        make_proposal("raise_dropout", probability=0.6),
        make_proposal("widen", touches=("width",), probability=0.4),
    ]
    findings = [make_finding("overfitting")]
    noise = [make_attempt(f"v00{n}", "add_weight_decay", "within noise", touches=("weight_decay",)) for n in (2, 3)]
    assert next(iter(ranking(proposals, findings))) == "raise_dropout"
    assert next(iter(ranking(proposals, findings, [make_attempt("v001"), *noise]))) == "widen"


def test_the_reason_holds_the_numbers(make_proposal, make_finding, make_attempt):
    history = [make_attempt("v001"), make_attempt("v002", "add_dropout", "within noise", parameters={"value": 0.3})]
    reason = ranking([make_proposal("add_dropout")], [make_finding("overfitting", 0.5)], history)["add_dropout"].reason
    for number in ("severity 0.50", "gain 0.20", "probability 0.15", "x0.50", "x0.60"):
        assert number in reason


def test_main_family():
    assert main_family(("optimizer", "momentum", "lr")) == "optimizer"
    assert main_family(("lr", "optimizer")) == "rate"
    assert main_family(("something",)) is None
