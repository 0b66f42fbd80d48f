from progtrain.advisors.by_rule import DECIDED, RuleAdvisor, main_family
from progtrain.diagnosis import RULES
from progtrain.step_records import NOTHING_ASKS


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


def test_what_was_taken_back_waits_until_another_change_has_improved(make_proposal, make_finding, make_attempt):
    findings = [make_finding("overfitting")]
    proposals = [make_proposal("add_dropout", parameters={"value": 0.3})]
    history = [
        make_attempt("v001"),
        make_attempt("v002", "add_dropout", "regressed"),
        make_attempt("v003", "take_back", "improved"),
        make_attempt("v004", "widen", "within noise", touches=("width",)),
    ]
    held = ranking(proposals, findings, history)["add_dropout"]
    assert not held.offered
    assert "v002" in held.reason
    free = ranking(proposals, findings, [*history, make_attempt("v005", "adamw", "improved")])["add_dropout"]
    assert free.offered
    assert free.score < ranking(proposals, findings)["add_dropout"].score


def test_what_improved_has_less_to_give_unless_the_curves_still_show_what_it_answers(
    make_proposal, make_finding, make_attempt
):
    once = [make_attempt("v001"), make_attempt("v002", "add_dropout", "improved")]
    shown, decided = make_finding("overfitting"), make_finding("few-steps")
    still = ranking([make_proposal("add_dropout")], [shown], once)["add_dropout"]
    assert still.offered
    assert "gain 0.20 with probability 0.75" in still.reason
    gone = ranking([make_proposal("add_dropout", answers="few-steps")], [decided], once)["add_dropout"]
    assert "gain 0.10 with probability 0.75" in gone.reason
    twice = [*once, make_attempt("v003", "add_dropout", "improved")]
    assert "gain 0.05" in ranking([make_proposal("add_dropout")], [], twice)["add_dropout"].reason


def test_steps_within_noise_make_the_family_less_likely(make_proposal, make_finding, make_attempt):
    proposals = [
        make_proposal("raise_dropout", probability=0.6),
        make_proposal("widen", touches=("width",), probability=0.4),
    ]
    findings = [make_finding("overfitting")]
    noise = [make_attempt(f"v00{n}", "add_weight_decay", "within noise", touches=("weight_decay",)) for n in (2, 3)]
    assert next(iter(ranking(proposals, findings))) == "raise_dropout"
    assert next(iter(ranking(proposals, findings, [make_attempt("v001"), *noise]))) == "widen"


def test_three_verdicts_within_noise_put_every_other_family_first(make_proposal, make_finding, make_attempt):
    proposals = [
        make_proposal("raise_dropout", probability=0.9, gain=0.9),
        make_proposal("widen", touches=("width",), probability=0.3, gain=0.01, risk="high", answers="unasked"),
    ]
    findings = [make_finding("overfitting", 0.9)]
    changes = (("add_weight_decay", "weight_decay"), ("gelu", "activation"), ("cosine_schedule", "scheduler"))
    noise = [
        make_attempt(f"v00{number}", action, "within noise", touches=(knob,))
        for number, (action, knob) in enumerate(changes, start=2)
    ]
    assert next(iter(ranking(proposals, findings, [make_attempt("v001"), *noise[:2]]))) == "raise_dropout"
    after_three = ranking(proposals, findings, [make_attempt("v001"), *noise])
    assert list(after_three) == ["widen", "raise_dropout"]
    assert after_three["raise_dropout"].offered
    assert "other families come first" in after_three["raise_dropout"].reason
    fourth = ranking(proposals, findings, [make_attempt("v001"), *noise, make_attempt("v005", "one", "within noise")])
    assert next(iter(fourth)) == "widen", "the fourth is of the same family"
    others = [make_attempt(f"v00{n}", "other", "within noise", touches=("batch_size",)) for n in (5, 6, 7)]
    later = ranking(proposals, findings, [make_attempt("v001"), *noise, *others])["raise_dropout"]
    assert "other families" not in later.reason, "only the last three count"
    nothing = make_attempt("v005", "one", "without effect", touches=("lr",))
    assert next(iter(ranking(proposals, findings, [make_attempt("v001"), *noise, nothing]))) == "widen", "no try"
    improved = [*noise, make_attempt("v005", "adamw", "improved", touches=("optimizer",))]
    assert next(iter(ranking(proposals, findings, [make_attempt("v001"), *improved]))) == "raise_dropout"


def test_the_reason_holds_the_numbers(make_proposal, make_finding, make_attempt):
    history = [make_attempt("v001"), make_attempt("v002", "add_dropout", "within noise", parameters={"value": 0.3})]
    reason = ranking([make_proposal("add_dropout")], [make_finding("overfitting", 0.5)], history)["add_dropout"].reason
    for number in ("severity 0.50", "gain 0.20", "probability 0.15", "prior 0.50", "posterior 0.25", "x0.60"):
        assert number in reason


def test_what_failed_in_earlier_loops_gives_way(make_proposal, make_finding, make_memory):
    proposals = [make_proposal("add_dropout", probability=0.5), make_proposal("label_smoothing", probability=0.4)]
    findings = [make_finding("overfitting")]
    advisor = RuleAdvisor()
    assert advisor.rank(proposals, findings, [], None)[0].proposal.action == "add_dropout"
    memory = make_memory(("add_dropout", "overfitting", "classification", 6, 0))
    ranked = advisor.rank(proposals, findings, [], memory)
    assert ranked[0].proposal.action == "label_smoothing"
    assert "in earlier loops on classification after overfitting 0 of 6 improved" in ranked[1].reason


def test_a_change_that_nothing_asks_for_is_remembered_as_such(make_proposal, make_finding, make_memory):
    memory = make_memory(("add_dropout", "overfitting", "classification", 6, 0))
    unasked = make_memory(("add_dropout", NOTHING_ASKS, "classification", 6, 0))
    proposals = [make_proposal("add_dropout")]
    advisor = RuleAdvisor()
    assert "no try that counts yet" in advisor.rank(proposals, [], [], memory)[0].reason
    assert "after nothing-asks 0 of 6 improved" in advisor.rank(proposals, [], [], unasked)[0].reason
    assert "no try that counts yet" in advisor.rank(proposals, [make_finding("overfitting")], [], unasked)[0].reason


def test_main_family():
    assert main_family(("optimizer", "momentum", "lr")) == "optimizer"
    assert main_family(("lr", "optimizer")) == "rate"
    assert main_family(("something",)) is None


def test_what_the_data_would_have_shown_is_expected_less_than_what_a_curve_may_hide(make_proposal):
    hidden, shown = make_proposal("widen", answers="underfitting"), make_proposal("shuffle_on", answers="unshuffled")
    ranked = ranking([hidden, shown], [])
    assert list(ranked) == ["widen", "shuffle_on"]
    assert ranked["shuffle_on"].score > 0
    assert "answers unshuffled (not found, taken at 0.02)" in ranked["shuffle_on"].reason


def test_only_findings_that_there_are_can_be_decided():
    assert {*RULES} >= DECIDED
