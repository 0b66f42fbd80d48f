"""What a data set's targets are: the task behind the many names that `task_type` has in practice."""

from __future__ import annotations

from typing import Final, Literal

from progtrain.errors import UnknownNameError, shortened

Task = Literal[
    "classification",
    "multilabel-classification",
    "token-classification",
    "segmentation",
    "regression",
    "forecasting",
    "transcription",
    "language-modelling",
]

#: Part of a task_type's name, words between hyphens -> task; the first that occurs decides.
_NAMED: Final[tuple[tuple[str, Task], ...]] = (
    ("multi-label", "multilabel-classification"),
    ("multilabel", "multilabel-classification"),
    ("token-classification", "token-classification"),
    ("named-entity", "token-classification"),
    ("tagging", "token-classification"),
    ("segmentation", "segmentation"),
    ("-ocr-", "transcription"),
    ("-asr-", "transcription"),
    ("speech-recognition", "transcription"),
    ("transcription", "transcription"),
    ("translation", "transcription"),
    ("summarization", "transcription"),
    ("text2text", "transcription"),
    ("language-model", "language-modelling"),
    ("text-generation", "language-modelling"),
    ("forecast", "forecasting"),
    ("classif", "classification"),
    ("regress", "regression"),
)


def task_of(task_type: str) -> Task:
    """The task that a data set's `task_type` means: `image_classification` is a classification.

    Raises:
        UnknownNameError: it names none of the known tasks.
    """
    said = f"-{task_type.lower().replace('_', '-').replace(' ', '-')}-"
    task = next((task for name, task in _NAMED if name in said), None)
    if task is None:
        raise UnknownNameError(
            f"Expected a task_type such as image-classification, tabular-regression, ocr-recognition, "
            f"image-segmentation or time-series-forecasting, got {shortened(task_type, 60)!r}. "
            "Set task_type in stats.json to what the targets are; docs/tasks.md has all names."
        )
    return task


def has_classes(task: Task) -> bool:
    """Whether every target is one class of several: of a sample, of a token, of a pixel."""
    return task in ("classification", "token-classification", "segmentation")


def has_values(task: Task) -> bool:
    """Whether every target is a number on a scale."""
    return task in ("regression", "forecasting")
