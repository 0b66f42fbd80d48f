"""From what a model answered to rows that can be compared: one a sample, whatever the task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.inference import Asked
from progtrain.evaluation.yardstick.batches import Texts, row_of
from progtrain.evaluation.yardstick.stated import Loss
from progtrain.predictions import IGNORED, Predictions
from progtrain.tasks import Task, has_classes, has_values

Rows = NDArray[Any]
_COUPLED: Final = 1e-3


@dataclass(frozen=True)
class Decoded:
    """One batch, decoded.

    Args:
        targets: `[B, ...]`.
        outputs: `[B, ...]`.
        answers: `[B, ...]`.
        losses: `[B]`, each the mean over what counts of a sample; their mean over what counts is the batch's loss.
    """

    targets: Rows
    outputs: Rows
    answers: Rows
    losses: Rows


def decode(asked: Asked, task: Task, loss: Loss) -> Decoded:
    """Decode one batch.

    Args:
        asked: what the model answered.
        task: what the targets are.
        loss: of raw outputs and targets.

    Raises:
        EvaluationError: outputs, answers and targets cannot belong together.
        NotImplementedError: 03_eval.py leaves the loss open.
    """
    if task == "transcription":
        return _decode_texts(asked, loss)
    if not isinstance(asked.targets, Tensor) or not isinstance(asked.served, Tensor):
        raise EvaluationError(
            f"Expected tensors as targets and answers of a {task}, got texts. "
            "Set task_type in stats.json to a transcription, or mend split() and predict() of 03_eval.py."
        )
    outputs, targets = fitted(asked.outputs, asked.targets, task)
    losses = _each_loss(loss, outputs, targets, loss_weights(targets.numpy(), task))
    if task == "language-modelling":
        scores = outputs.float().log_softmax(dim=1)
        known = targets.clamp(min=0)  # any class will do in the place of an ignored one
        of_targets = scores.gather(1, known.unsqueeze(1)).squeeze(1)
        return Decoded(targets.numpy(), of_targets.numpy(), outputs.argmax(dim=1).numpy(), losses)
    _refuse_confidences(asked.served, outputs, targets, task)
    answers = answers_of(asked.served, targets, task)
    return Decoded(targets.numpy(), outputs.numpy(), answers.numpy(), losses)


def _refuse_confidences(served: Tensor, outputs: Tensor, targets: Tensor, task: Task) -> None:
    """A number between 0 and 1 for each target is the probability of the second class only where there are two."""
    if has_classes(task) and served.is_floating_point() and served.numel() == targets.numel() < outputs.numel():
        raise EvaluationError(
            f"Expected classes, or a score for each of {outputs.shape[1]} classes, got one number a target. "
            "Confidences are not read as classes: say in predict() of 03_eval.py what is served."
        )


def predictions_of(decoded: Sequence[Decoded], sample_ids: Sequence[str] | None) -> Predictions:
    """All batches as one; shorter rows are padded with what does not count.

    Args:
        decoded: one a batch.
        sample_ids: one a sample, in order; positions where None.

    Raises:
        EvaluationError: there are no samples, or not as many as ids.
    """
    if not decoded:
        raise EvaluationError("Expected validation samples, got an empty validation loader. Fill dataset/prepdata.")
    targets = _stacked((piece.targets for piece in decoded), IGNORED)
    if sample_ids is not None and len(sample_ids) != len(targets):
        raise EvaluationError(
            f"Expected one line a validation sample in the data set's listing, got {len(sample_ids)} lines for "
            f"{len(targets)} samples. Correct the listing, or remove it."
        )
    return Predictions(
        sample_ids=np.array(sample_ids or [str(index) for index in range(len(targets))]),
        targets=targets,
        outputs=_stacked((piece.outputs for piece in decoded), 0),
        answers=_stacked((piece.answers for piece in decoded), IGNORED),
        losses=np.concatenate([piece.losses for piece in decoded]),
    )


def answers_of(served: Tensor, targets: Tensor, task: Task) -> Tensor:
    """The answers in the targets' shape.

    Args:
        served: `[N, ...]` values for a regression; for classes their indices, scores `[N, C, ...]`, or the probability
            of the second class; for labels a score or a yes or no for each.
        targets: `[N, ...]`.
        task: what the targets are.

    Raises:
        EvaluationError: what was served is none of these.
    """
    if not has_values(task) and served.is_floating_point():
        if served.numel() == targets.numel():
            served = served > 0.5
        else:
            served = _classes_second(served, targets, task).argmax(dim=1)
    if served.numel() != targets.numel():
        raise EvaluationError(
            f"Expected one answer a target of shape {list(targets.shape)}, got {list(served.shape)}. "
            "Say in predict() of 03_eval.py what is served."
        )
    answers = served.reshape(targets.shape)
    return answers.float() if has_values(task) else answers.long()


def fitted(outputs: Tensor, targets: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Outputs and targets in the shapes that losses and metrics expect: `[N, 1]` and `[N]` become alike.

    Raises:
        EvaluationError: they cannot belong together.
    """
    targets = targets.float() if has_values(task) else targets.long()
    if targets.ndim > 1 and targets.shape[-1] == 1:
        targets = targets.squeeze(-1)
    if task == "segmentation" and targets.ndim > 3 and targets.shape[1] == 1:
        targets = targets.squeeze(1)
    if outputs.numel() == targets.numel():
        return outputs.float().reshape(targets.shape), targets
    scores = _classes_second(outputs, targets, task)
    has_scores = scores.ndim == targets.ndim + 1 and scores.select(1, 0).shape == targets.shape
    if has_scores and (has_classes(task) or task == "language-modelling"):
        return scores.float(), targets
    raise EvaluationError(
        f"Expected {task} outputs that fit targets of shape {list(targets.shape)}, got {list(outputs.shape)}. "
        "The model's forward must return one value a target, or for classes one score a class."
    )


def _classes_second(scores: Tensor, targets: Tensor, task: Task) -> Tensor:
    """Scores `[N, C, ...]` where they are, or were, `[N, ..., C]`: a linear layer over tokens says classes last."""
    if scores.ndim != targets.ndim + 1 or scores.shape[:-1] != targets.shape or scores.ndim == 2:
        return scores
    either = scores.select(1, 0).shape == targets.shape
    return scores if either and task == "segmentation" else scores.movedim(-1, 1)


def _decode_texts(asked: Asked, loss: Loss) -> Decoded:
    if not isinstance(asked.targets, Texts) or isinstance(asked.served, Tensor):
        raise EvaluationError(
            "Expected texts as targets and answers of a transcription, got tensors. "
            "Say in split() and predict() of 03_eval.py which texts they stand for."
        )
    if len(asked.served) != len(asked.targets.texts):
        raise EvaluationError(
            f"Expected one text a sample, got {len(asked.served)} for {len(asked.targets.texts)}. "
            "Mend predict() of 03_eval.py."
        )
    count = len(asked.served)
    losses = _each_loss(loss, asked.outputs, asked.targets, np.ones(count))
    return Decoded(np.array(asked.targets.texts), np.zeros((count, 0), np.float32), np.array(asked.served), losses)


def _each_loss(loss: Loss, outputs: Tensor, targets: Tensor | Texts, weights: Rows) -> Rows:
    """`[B]` the loss of every sample; NaN where 03_eval.py leaves it open.

    A loss that couples the samples of a batch (class weights, dice over the batch) is more than the mean over samples
    asked alone: they are moved by the difference, so that the batch keeps the loss that the script logs of it.
    """
    try:
        whole = float(loss(outputs, targets))
    except NotImplementedError:
        return np.full(len(outputs), np.nan, np.float32)
    try:
        alone = [loss(outputs[i : i + 1], row_of(targets, i)) for i in range(len(outputs))]
        each = torch.stack(alone).float().numpy()
    except (RuntimeError, ValueError, IndexError):  # it cannot be had of one sample
        return np.full(len(outputs), whole, np.float32)
    counted = weights > 0
    mean = float(np.average(each[counted], weights=weights[counted])) if counted.any() else math.nan
    coupled = (
        math.isfinite(whole) and math.isfinite(mean) and not math.isclose(mean, whole, rel_tol=_COUPLED, abs_tol=1e-6)
    )
    return each + np.float32(whole - mean) if coupled else each


def _stacked(parts: Iterable[Rows], fill: int) -> Rows:
    """`[N, ...]` rows of all parts; where parts differ in length, the shorter are filled up at the end."""
    arrays = list(parts)
    shape = tuple(np.max([array.shape[1:] for array in arrays], axis=0)) if arrays[0].ndim > 1 else ()
    # A number that is missing cannot be told from a number: it stays missing, and no metric is made of it.
    filling = math.nan if fill == IGNORED and np.issubdtype(arrays[0].dtype, np.floating) else fill
    padded = [_padded(array, shape, filling) for array in arrays]
    return np.concatenate(padded)


def _padded(array: Rows, shape: tuple[int, ...], fill: float) -> Rows:
    missing = [(0, wanted - have) for wanted, have in zip(shape, array.shape[1:], strict=True)]
    if not any(after for _, after in missing):
        return array
    return np.pad(array, [(0, 0), *missing], constant_values=fill)


def mean_loss(predictions: Predictions, task: Task) -> float:
    """The loss over all that counts: a sample weighs as many tokens or pixels as it has."""
    counts = loss_weights(predictions.targets, task)
    return float(np.average(predictions.losses[counts > 0].astype(np.float64), weights=counts[counts > 0]))


def loss_weights(targets: Rows, task: Task) -> Rows:
    """`[N]` how much every sample weighs in a mean loss.

    Args:
        targets: `[N, ...]`.
        task: what they are.
    """
    if has_values(task) or targets.ndim == 1:
        return np.ones(len(targets))
    return np.asarray((targets != IGNORED).reshape(len(targets), -1).sum(axis=1))
