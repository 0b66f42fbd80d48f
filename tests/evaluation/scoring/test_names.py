import pytest

from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring import directions, metrics, names


@pytest.mark.parametrize(
    ("task", "base"), [(task, base) for task, table in directions.HIGHER_IS_BETTER.items() for base in table]
)
def test_stated_directions_are_those_of_torchmetrics(task, base):
    assert directions.HIGHER_IS_BETTER[task][base] is metrics.find(base, task).higher_is_better


@pytest.mark.parametrize(
    ("name", "base", "average"),
    [
        ("f1_macro", "f1score", "macro"),
        ("F1Score", "f1score", None),
        ("weighted-precision", "precision", "weighted"),
        ("balanced_accuracy", "accuracy", "macro"),
        ("mean_squared_error", "meansquarederror", None),
        ("R2", "r2score", None),
        ("ROC_AUC", "auroc", None),
        ("WER", "worderrorrate", None),
        ("dice", "dicescore", None),
    ],
)
def test_names_are_read_whatever_their_case_and_separators(name, base, average):
    assert names.read_name(name) == names.MetricName(base, average)


def test_a_name_may_ask_for_one_class():
    assert names.read_name("f1_class_3") == names.MetricName("f1score", None, label=3)


@pytest.mark.parametrize("task", names.DEFAULT_METRICS)
def test_the_usual_metrics_of_a_task_have_directions(task):
    assert all(isinstance(directions.direction(name, task), bool) for name in names.DEFAULT_METRICS[task])


def test_directions_outside_the_table_come_from_torchmetrics():
    assert directions.direction("hinge_loss", "classification") is False
    assert directions.direction("concordance_corr_coef", "regression") is True
    assert directions.direction("loss", "regression") is False


def test_a_metric_without_direction_has_to_be_given_one():
    with pytest.raises(EvaluationError, match="higher_is_better"):
        directions.direction("pearson", "regression")


@pytest.mark.parametrize(("name", "task"), [("acuracy", "classification"), ("accuracy", "regression")])
def test_an_unknown_metric_is_refused(name, task):
    with pytest.raises(EvaluationError, match=f"for {task} is called '{name}'"):
        directions.direction(name, task)


def test_the_closest_names_are_offered():
    with pytest.raises(EvaluationError, match="Accuracy"):
        directions.direction("acuracy", "classification")
