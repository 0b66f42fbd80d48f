import pytest
from scipy.stats import beta

from progtrain.advisors.beliefs import OTHER_TASK_WEIGHT, OWN_WEIGHT, PRIOR_STRENGTH, believe, tries


def test_without_any_try_the_prior_stands():
    belief = believe("gelu", "dead-units", 0.3, (), None)
    assert belief.posterior == pytest.approx(0.3)
    assert str(belief) == "prior 0.30, no try that counts yet"


def test_the_posterior_is_the_mean_of_the_beta_distribution(make_memory):
    memory = make_memory(("gelu", "dead-units", "classification", 7, 3))
    expected = beta(PRIOR_STRENGTH * 0.3 + 3, PRIOR_STRENGTH * 0.7 + 4).mean()
    assert believe("gelu", "dead-units", 0.3, (), memory).posterior == pytest.approx(expected)


def test_tries_weigh_by_where_they_were_made(make_attempt, make_memory):
    memory = make_memory(
        ("gelu", "dead-units", "regression", 2, 2),
        ("gelu", "dead-units", "transcription", 2, 0),
        ("gelu", "underfitting", "classification", 50, 50),
        ("silu", "dead-units", "classification", 50, 50),
    )
    belief = believe("gelu", "dead-units", 0.5, [make_attempt("v002", "gelu", "within noise")], memory)
    tried = OWN_WEIGHT + 4 * OTHER_TASK_WEIGHT
    assert belief.posterior == pytest.approx((PRIOR_STRENGTH * 0.5 + 2 * OTHER_TASK_WEIGHT) / (PRIOR_STRENGTH + tried))
    said = str(belief)
    assert "in this loop 0 of 1 improved, weight 4 each" in said
    assert "on other tasks after dead-units 2 of 4 improved, weight 0.5 each" in said


@pytest.mark.parametrize(("verdict", "left"), [("within noise", 1 / 2), ("regressed", 1 / 3)])
def test_one_failure_in_this_loop_halves_the_prior_and_a_regression_counts_twice(make_attempt, verdict, left):
    own = [make_attempt("v002", "gelu", verdict)]
    assert believe("gelu", "dead-units", 0.6, own, None).posterior == pytest.approx(0.6 * left)


def test_tries_are_those_of_the_action_on_the_same_knobs(make_attempt, make_proposal):
    history = [
        make_attempt("v001"),
        make_attempt("v002", "tune_knob", "regressed", touches=("lr",)),
        make_attempt("v003", "take_back", "improved", touches=("lr",)),
        make_attempt("v004", "tune_knob", "within noise", touches=("dropout",)),
    ]
    assert tries(make_proposal("tune_knob", touches=("lr",)), history) == [history[1]]
    assert tries(make_proposal("tune_knob", touches=("weight_decay",)), history) == []


def test_many_tries_outweigh_any_prior(make_memory):
    memory = make_memory(("gelu", "dead-units", "classification", 400, 40))
    assert believe("gelu", "dead-units", 0.9, (), memory).posterior == pytest.approx(0.1, abs=0.01)
