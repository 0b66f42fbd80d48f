import pytest

from progtrain.errors import EvaluationError
from progtrain.evaluation import metrics, names


@pytest.mark.parametrize(
    ("task", "base"), [(task, base) for task, table in names._HIGHER_IS_BETTER.items() for base in table]
)
def test_stated_directions_are_those_of_torchmetrics(task, base):
    assert names._HIGHER_IS_BETTER[task][base] is metrics.find(base, task).higher_is_better


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
    ],
)
def test_names_are_read_whatever_their_case_and_separators(name, base, average):
    assert names.read_name(name) == names.MetricName(base, average)


@pytest.mark.parametrize(
    ("task_type", "task"),
    [
        ("classification", "classification"),
        ("image_classification", "classification"),
        ("multi-class classification", "classification"),
        ("tabular_regression", "regression"),
    ],
)
def test_task_types_as_builders_write_them(task_type, task):
    assert names.task_of(task_type) == task


@pytest.mark.parametrize("task_type", ["multilabel_classification", "multi-label classification", "ocr", ""])
def test_other_tasks_are_refused(task_type):
    with pytest.raises(EvaluationError, match="Expected a task_type of"):
        names.task_of(task_type)


def test_directions_outside_the_table_come_from_torchmetrics():
    assert names.direction("hinge_loss", "classification") is False
    assert names.direction("concordance_corr_coef", "regression") is True
    assert names.direction("loss", "regression") is False


def test_a_metric_without_direction_has_to_be_given_one():
    with pytest.raises(EvaluationError, match="higher_is_better"):
        names.direction("pearson", "regression")


@pytest.mark.parametrize(("name", "task"), [("acuracy", "classification"), ("accuracy", "regression")])
def test_an_unknown_metric_is_refused(name, task):
    with pytest.raises(EvaluationError, match=f"for {task} is called '{name}'"):
        names.direction(name, task)


def test_the_closest_names_are_offered():
    with pytest.raises(EvaluationError, match="Accuracy"):
        names.direction("acuracy", "classification")
