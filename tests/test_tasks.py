import pytest

from progtrain.errors import EvaluationError
from progtrain.tasks import task_of


@pytest.mark.parametrize(
    ("task_type", "task"),
    [
        ("classification", "classification"),
        ("image_classification", "classification"),
        ("image-classification", "classification"),
        ("multi-class classification", "classification"),
        ("tabular-classification", "classification"),
        ("text-classification", "classification"),
        ("democracy-classification", "classification"),
        ("token-classification", "token-classification"),
        ("tabular_regression", "regression"),
        ("multilabel_classification", "multilabel-classification"),
        ("Multi-Label Classification", "multilabel-classification"),
        ("multi-label", "multilabel-classification"),
        ("image-segmentation", "segmentation"),
        ("ocr", "transcription"),
        ("ocr-recognition", "transcription"),
        ("automatic-speech-recognition", "transcription"),
        ("text-generation", "language-modelling"),
        ("time-series-forecasting", "forecasting"),
    ],
)
def test_task_types_as_builders_write_them(task_type, task):
    assert task_of(task_type) == task


@pytest.mark.parametrize("task_type", ["object-detection", ""])
def test_other_tasks_are_refused(task_type):
    with pytest.raises(EvaluationError, match="Expected a task_type such as"):
        task_of(task_type)
