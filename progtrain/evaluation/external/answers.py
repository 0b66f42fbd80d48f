"""From what a model from elsewhere answered to predictions like a version's, so that the same metrics apply."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.decoding import answers_of, decode, predictions_of
from progtrain.evaluation.asking.inference import Asked
from progtrain.evaluation.yardstick.stated import Loss
from progtrain.predictions import IGNORED, Predictions
from progtrain.tasks import Task, has_values

#: Of an answer that is a mapping: what says most goes first.
_SAID: Final = ("probabilities", "scores", "answer", "prediction", "label", "text")
_SMALLEST: Final = 1e-7


def predictions_from(
    answers: Sequence[JsonValue], locked: Predictions, task: Task, loss: Loss, classes: Sequence[str]
) -> Predictions:
    """One row a sample, in the locked order.

    Scores and losses are NaN where the answers are classes alone.

    Args:
        answers: a class's index or name, a number, a text, one probability or score a class, or an array of these
            in the targets' shape; a mapping that names one of them, or a text that holds it as JSON.
        locked: whose sample ids and targets hold.
        task: what the targets are.
        loss: of 03_eval.py, taken of scores and of values.
        classes: their names, where stats.json has them.

    Raises:
        EvaluationError: the answers have no meaning for the task.
    """
    if task == "language-modelling":
        raise EvaluationError(
            "Expected a task whose answers can be measured from outside, got language-modelling, which needs the "
            "probability of every token. Compare such models elsewhere."
        )
    if task == "transcription":
        texts = np.array([_as_text(_said(answer)) for answer in answers])
        return replace(locked, answers=texts, losses=np.full(len(texts), np.nan, np.float32))
    parsed = [_parsed(_said(answer)) for answer in answers]
    if has_values(task):
        values = [_shaped(answer, target.shape) for answer, target in zip(parsed, locked.targets, strict=True)]
        return _decoded(np.stack(values), locked, task, loss)
    read = _READERS.get(task, _read_classes)
    return read(parsed, locked, task, loss, classes)


def _said(answer: JsonValue) -> JsonValue:
    if not isinstance(answer, dict):
        return answer
    key = next((key for key in _SAID if answer.get(key) is not None), None)
    if key is None:
        raise EvaluationError(f"Expected an answer with one of the names {_SAID}, got {sorted(answer)}. Return one.")
    return _said(answer[key])


def _as_text(answer: JsonValue) -> str:
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if isinstance(answer, str):
        return answer
    raise EvaluationError(f"Expected a text as an answer, got {_brief(answer)}. Return the text.")


def _parsed(answer: JsonValue) -> JsonValue:
    """A text may hold the answer as JSON, whole or in its last line: a command prints nothing else."""
    if not isinstance(answer, str):
        return answer
    lines = answer.strip().splitlines()
    for text in (answer, lines[-1] if lines else ""):
        try:
            parsed: JsonValue = json.loads(text)
        except ValueError:
            continue
        return _said(parsed)
    return lines[-1].strip() if lines else ""


def _shaped(answer: JsonValue, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = _array(answer)
    if array.size != np.prod(shape):
        raise EvaluationError(f"Expected an answer of shape {list(shape)}, got {_brief(answer)}. Return one a target.")
    return array.reshape(shape).astype(np.float32)


def _array(answer: JsonValue) -> NDArray[Any]:
    try:
        array = np.array(answer)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        raise EvaluationError(f"Expected numbers as an answer, got {_brief(answer)}. Return numbers, or their names.")
    return array


def _read_one_class(
    parsed: list[JsonValue], locked: Predictions, task: Task, loss: Loss, classes: Sequence[str]
) -> Predictions:
    """One class a sample: by index or name, or by one number a class."""
    count = locked.outputs.shape[1] if locked.outputs.ndim > 1 else 2
    singles = [answer[0] if isinstance(answer, list) and len(answer) == 1 else answer for answer in parsed]
    if all(isinstance(answer, list) and len(answer) == count for answer in singles):
        scores = _as_scores(np.stack([_array(answer) for answer in singles]).astype(np.float32))
        return _decoded(scores if locked.outputs.ndim > 1 else scores[:, 1] - scores[:, 0], locked, task, loss)
    if locked.outputs.ndim == 1 and any(_is_fraction(answer) for answer in singles):
        return _decoded(_logits(np.array(singles, dtype=np.float32)), locked, task, loss)
    indices = np.array([_class_of(answer, count, classes) for answer in singles])
    return _without_scores(indices, locked, task)


def _as_scores(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities as their logarithms, which is what a loss of scores is taken of; scores as they are."""
    are_probabilities = (rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3)
    return np.log(np.clip(rows, _SMALLEST, None)) if are_probabilities else rows


def _is_fraction(answer: JsonValue) -> bool:
    return isinstance(answer, float) and not answer.is_integer()


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    clipped = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    logits: NDArray[np.float32] = np.log(clipped / (1 - clipped))
    return logits


def _class_of(answer: JsonValue, count: int, classes: Sequence[str]) -> int:
    if isinstance(answer, str) and answer in classes:
        return list(classes).index(answer)
    is_whole = isinstance(answer, int) or (isinstance(answer, float) and answer.is_integer())
    if isinstance(answer, int | float) and is_whole and 0 <= answer < count:
        return int(answer)
    known = f" or one of {list(classes)[:10]}" if classes else ", or its name where stats.json lists `classes`"
    raise EvaluationError(
        f"Expected a class as an answer, from 0 to {count - 1}{known}, or one number for each; got {_brief(answer)}."
    )


def _read_labels(
    parsed: list[JsonValue], locked: Predictions, task: Task, loss: Loss, classes: Sequence[str]
) -> Predictions:
    """Several labels a sample: by name, or a probability or yes or no for each."""
    count = locked.targets.shape[1]
    if all(isinstance(answer, list) and all(isinstance(label, str) for label in answer) for answer in parsed):
        held = np.zeros((len(parsed), count), dtype=np.int64)
        for row, answer in zip(held, parsed, strict=True):
            row[[_class_of(label, count, classes) for label in answer]] = 1  # type: ignore[union-attr]
        return _without_scores(held, locked, task)
    rows = np.stack([_shaped(answer, (count,)) for answer in parsed])
    if np.isin(rows, (0, 1)).all():
        return _without_scores(rows.astype(np.int64), locked, task)
    decoded = _decoded(_logits(rows), locked, task, loss)
    return replace(decoded, answers=(rows > 0.5).astype(np.int64))


def _read_classes(
    parsed: list[JsonValue], locked: Predictions, task: Task, loss: Loss, classes: Sequence[str]
) -> Predictions:
    """A class for every token or pixel that counts, or for all of them."""
    count = locked.outputs.shape[1]
    found = np.full_like(locked.targets, IGNORED, dtype=np.int64)
    for row, answer, target in zip(found, parsed, locked.targets, strict=True):
        said = np.array(_each(answer, lambda one: _class_of(one, count, classes))).ravel()
        known = target != IGNORED
        where = known if said.size == known.sum() else np.full(target.shape, True)
        if said.size != where.sum():
            raise EvaluationError(
                f"Expected a class for each of {known.sum()} targets, got {said.size}. Return one a target."
            )
        row[where] = said
    return _without_scores(found, locked, task)


def _each(answer: JsonValue, read: Callable[[JsonValue], int]) -> Any:
    return [_each(entry, read) for entry in answer] if isinstance(answer, list) else read(answer)


_READERS: Final = {
    "classification": _read_one_class,
    "multilabel-classification": _read_labels,
}


def _decoded(outputs: NDArray[Any], locked: Predictions, task: Task, loss: Loss) -> Predictions:
    """As a version's outputs are decoded."""
    scores, targets = torch.from_numpy(outputs), torch.from_numpy(locked.targets)
    served = scores if outputs.ndim > 1 or has_values(task) else (scores > 0).long()
    asked = Asked(scores, served, targets)
    return predictions_of([decode(asked, task, _tolerant(loss))], locked.sample_ids.tolist())


def _tolerant(loss: Loss) -> Loss:
    """A loss that does not take such outputs has no value, and that alone does not cost the other metrics."""

    def taken(outputs: torch.Tensor, targets: Any) -> torch.Tensor:
        try:
            return loss(outputs, targets)
        except (RuntimeError, ValueError, TypeError) as error:
            raise NotImplementedError(str(error)) from error

    return taken


def _without_scores(answers: NDArray[np.int64], locked: Predictions, task: Task) -> Predictions:
    served = answers_of(torch.from_numpy(answers), torch.from_numpy(locked.targets), task).numpy()
    nothing = np.full(locked.outputs.shape, np.nan, np.float32)
    return replace(locked, answers=served, outputs=nothing, losses=np.full(len(served), np.nan, np.float32))


def _brief(answer: JsonValue) -> str:
    text = json.dumps(answer)
    return text if len(text) <= 60 else f"{text[:60]}…"
