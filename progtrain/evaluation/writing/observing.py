"""Observing a script's own validation, from which 03_eval.py is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from progtrain.evaluation.writing.answers import asks_predict_step, threshold_of
from progtrain.evaluation.writing.drafting import Draft, are_signs, drafts, why_not
from progtrain.evaluation.writing.following import Followed, follow
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.roles import NotFollowed
from progtrain.evaluation.writing.tracing import paths_of
from progtrain.evaluation.writing.trying import answered, holds, loss_of
from progtrain.evaluation.writing.wording import described
from progtrain.predictions import IGNORED
from progtrain.script.capturing.inside_fit import Fit
from progtrain.tasks import Task, has_classes

#: Samples a batch; numbers that are hardly ever an extent of anything else.
SIZES: Final = (7, 5, 1)
_MOST_CANDIDATES: Final = 12
_UNDECIDED: Final = "nothing tells from which score on the answer is the second class"
_NO_LOSS: Final = "no loss was seen"
_OWN_OPTIMIZERS: Final = "it steps its optimizers itself (automatic_optimization is False), so it is not run here"


def observe_validation(
    fit: Fit, batches: Iterable[Any], task: Task, monitored: frozenset[str], position: int = 0
) -> Observation:
    """Run the module's own step on a few batches, and write down how it comes to its figures.

    Args:
        fit: set up, with `begin_validation` done.
        batches: of the watched loader, prepared; of `SIZES` samples where the loader can be asked for so many.
        task: what the targets are.
        monitored: names that checkpoints watch.
        position: of that loader among several.
    """
    prepared = list(zip(batches, SIZES, strict=False))
    reasons: dict[str, str] = {}
    for step in ("validation_step", "training_step"):
        if not _is_own(fit.model, step):
            continue
        if step == "training_step" and not fit.model.automatic_optimization:
            reasons[step] = _OWN_OPTIMIZERS
            continue
        followed = [follow(fit.model, step, batch, n, task, monitored, position) for batch, n in prepared]
        known = [each for each in followed if isinstance(each, Followed)]
        reason = next((each.reason for each in followed if isinstance(each, NotFollowed)), "") or _mismatch(known, task)
        if not reason:
            seen = _observed(fit, step, known, task)
            return seen if seen.loss or step == "training_step" else _with_loss_of_training(fit, seen, prepared, task)
        reasons[step] = reason
    steps = {reason: " and ".join(each for each in reasons if reasons[each] == reason) for reason in reasons.values()}
    told = "; ".join(f"{each}: {reason}" for reason, each in steps.items()) or "the module has no validation_step"
    return Observation(
        step="", lacking={"split": told, "predict": told}, candidates=candidates_of([batch for batch, _ in prepared])
    )


def _with_loss_of_training(fit: Fit, seen: Observation, batches: Sequence[tuple[Any, int]], task: Task) -> Observation:
    """Where validation compares without a loss, that of the training step, if it compares the same."""
    if seen.lacking or not seen.loss_reason.startswith(_NO_LOSS) or not fit.model.automatic_optimization:
        return seen
    followed = [follow(fit.model, "training_step", batch, n, task, frozenset()) for batch, n in batches]
    known = [each for each in followed if isinstance(each, Followed)]
    if len(known) < len(followed) or _mismatch(known, task):
        return seen
    trained = _observed(fit, "training_step", known, task)
    if (trained.split, trained.outputs) != (seen.split, seen.outputs) or not trained.loss:
        return seen
    return seen.model_copy(
        update={"loss": trained.loss, "loss_by_hand": trained.loss_by_hand, "loss_reason": "", "step": trained.step}
    )


def _mismatch(known: Sequence[Followed], task: Task) -> str:
    """Why what a step compares cannot be a sample's answer and its target."""
    shapes = [each.shapes for each in known]
    outputs, targets = shapes[0]
    if task == "classification" and targets.numel() != known[0].size and targets != outputs:
        return f"it compares with a target of shape {list(targets)}, and a classification has one class a sample"
    if task == "classification" and targets.numel() == known[0].size:
        answered = max(2, outputs[1] if len(outputs) > 1 else 1)
        classes = torch.cat([each.trace.tensor(each.roles.targets).reshape(-1) for each in known])
        least, most = (int(edge) for edge in classes[classes != IGNORED].aminmax())
        if not are_signs(classes) and (least < 0 or most >= answered):
            told = f"its outputs {list(outputs)} answer classes from 0 to {answered - 1}"
            return f"{told}, its targets are {least} to {most}"
    sizes = {each.size for each in known if each.size > 1}
    coupled = [each.size for each in known if each.size > 1 and each.size in (*each.shapes[0][1:], *each.shapes[1][1:])]
    if len(sizes) > 1 and len({*coupled}) == len(sizes):
        return "it compares the samples of a batch with each other"
    return ""


def _is_own(model: Any, step: str) -> bool:
    package = getattr(type(model), step).__module__
    return not package.startswith(("lightning.", "pytorch_lightning."))


def _observed(fit: Fit, step: str, known: Sequence[Followed], task: Task) -> Observation:
    first = known[0]
    draft = next(
        (each for each in drafts(first.trace, first.roles, task, first.size) if holds(each, known, task)), None
    )
    outputs, targets = (
        described(first.trace, value, first.size) for value in (first.roles.outputs, first.roles.targets)
    )
    used = f"{step} compares {outputs} with {targets}"
    if draft is None:
        reason = why_not(first.trace, first.roles, task, first.size)
        lacking = {"split": f"{used}; {reason}", "predict": reason}
        return Observation(step=step, used=used, lacking=lacking, candidates=candidates_of([first.trace.batch]))
    body, reason = loss_of(known, draft, task)
    asked, why = asks_predict_step(fit.model, known, draft, task)
    logged = {"loss": first.roles.logged_as} if body and first.roles.logged_as and step == "validation_step" else {}
    single, threshold = _is_single(draft, first, task), threshold_of(first)
    undecided = not (asked or threshold) and (single or task == "multilabel-classification")
    return Observation(
        step=step,
        split=draft.split,
        outputs=draft.outputs,
        loss=body,
        loss_by_hand=bool(body) and first.roles.call is None,
        loss_reason=reason,
        used=used,
        single=single,
        threshold=threshold or "0",
        predict_step=asked,
        predict_reason=why,
        logged=logged,
        lacking={"predict": f"{used}; {_UNDECIDED}"} if undecided else {},
        candidates=candidates_of([first.trace.batch]) if undecided else (),
    )


def _is_single(draft: Draft, followed: Followed, task: Task) -> bool:
    """Whether an output is one score for each sample, token or pixel, and not one for each of its classes."""
    _, outputs, targets = answered(draft, followed)
    return has_classes(task) and outputs.numel() == targets.numel()


def candidates_of(batches: Sequence[Any]) -> tuple[str, ...]:
    """The parts of the first batch by name and shape."""
    if not batches:
        return ()
    found = []
    for path, leaf in paths_of(batches[0]):
        name = "batch" + "".join(f".{step}" if kind == "attribute" else f"[{step!r}]" for kind, step in path)
        shape = f"{list(leaf.shape)} {str(leaf.dtype).removeprefix('torch.')}" if isinstance(leaf, Tensor) else ""
        found.append(f"{name} {shape or type(leaf).__name__}")
    left = len(found) - _MOST_CANDIDATES
    return tuple(found) if left <= 1 else (*found[:_MOST_CANDIDATES], f"{left} more")
