"""Observing a script's own validation, from which 03_eval.py is written."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.evaluation.asking.decoding import fitted
from progtrain.evaluation.asking.inference import forward, has_predict_step, predict_step
from progtrain.evaluation.writing.drafting import Draft, compiled, described, drafts, loss_body, why_not
from progtrain.evaluation.writing.losses import THRESHOLDS
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.roles import NotFollowed, Roles, find_roles
from progtrain.evaluation.writing.statements import NotWritten
from progtrain.evaluation.writing.trace import Trace
from progtrain.evaluation.writing.tracing import Tracer, paths_of
from progtrain.evaluation.yardstick.batches import blanked, by_convention, without
from progtrain.script.capturing.inside_fit import Fit
from progtrain.tasks import Task, has_values

#: Samples a batch; numbers that are hardly ever an extent of anything else.
SIZES: Final = (7, 5, 1)
_SEED: Final = 0
_DEEPEST: Final = 4
_CLOSE: Final = 1e-3
_SCOPE: Final = {"forward": forward, "by_convention": by_convention, "without": without, "blanked": blanked}


@dataclass(frozen=True)
class _Followed:
    """A traced step in which the roles are known."""

    trace: Trace
    roles: Roles
    size: int

    @property
    def shapes(self) -> tuple[torch.Size, torch.Size]:
        """Of the outputs and of the targets."""
        return self.trace.tensor(self.roles.outputs).shape, self.trace.tensor(self.roles.targets).shape


def observe_validation(fit: Fit, batches: Iterable[Any], task: Task, monitored: frozenset[str]) -> Observation:
    """Run the module's own step on a few batches, and write down how it comes to its figures.

    Args:
        fit: set up, with `begin_validation` done.
        batches: of the watched loader, prepared.
        task: what the targets are.
        monitored: names that checkpoints watch.
    """
    prepared = list(batches)
    reasons: dict[str, str] = {}
    for step in ("validation_step", "training_step"):
        if not _is_own(fit.model, step):
            continue
        followed = [_follow(fit.model, step, batch, task, monitored) for batch in prepared]
        known = [each for each in followed if isinstance(each, _Followed)]
        reason = next((each.reason for each in followed if isinstance(each, NotFollowed)), "") or _mismatch(known, task)
        if not reason:
            return _observed(fit, step, known, task)
        reasons[step] = reason
    told = "; ".join(f"{step}: {reason}" for step, reason in reasons.items()) or "the module has no validation_step"
    return Observation(step="", lacking={"split": told, "predict": told}, candidates=_candidates(prepared))


def _mismatch(known: Sequence[_Followed], task: Task) -> str:
    """Why what a step compares cannot be a sample's answer and its target."""
    shapes = [each.shapes for each in known]
    outputs, targets = shapes[0]
    if task == "classification" and targets.numel() != known[0].size and targets != outputs:
        return f"it compares with a target of shape {list(targets)}, and a classification has one class a sample"
    sizes = {each.size for each in known if each.size > 1}
    coupled = [each.size for each in known if each.size > 1 and each.size in (*each.shapes[0][1:], *each.shapes[1][1:])]
    if len(sizes) > 1 and len({*coupled}) == len(sizes):
        return f"it compares the samples of a batch with each other: {list(outputs)} and {list(targets)}"
    return ""


def _is_own(model: Any, step: str) -> bool:
    package = getattr(type(model), step).__module__
    return not package.startswith(("lightning.", "pytorch_lightning."))


def _follow(model: Any, step: str, batch: Any, task: Task, monitored: frozenset[str]) -> _Followed | NotFollowed:
    size, opened = _size(batch), frozenset[int]()
    for _ in range(_DEEPEST):
        tracer = Tracer(model, opened)
        try:
            returned = _run(model, step, batch, tracer)
        except Exception as error:  # noqa: BLE001 - a user's step may raise anything
            return NotFollowed(f"it raises {type(error).__name__}: {str(error).strip()}")
        trace = Trace(model, batch, tracer, returned)
        roles = find_roles(trace, task, monitored, size)
        if isinstance(roles, Roles):
            return _Followed(trace, roles, size)
        inner = _holding_targets(trace) - opened
        if not inner:
            return roles
        opened |= inner
    return NotFollowed(f"its loss is computed more than {_DEEPEST} modules deep")


def _run(model: Any, step: str, batch: Any, tracer: Tracer) -> Any:
    function = getattr(model, step)
    parameters = inspect.signature(function).parameters
    given = [batch, 0][: len([name for name in parameters if name != "dataloader_idx"])]
    torch.manual_seed(_SEED)
    with torch.no_grad(), torch.compiler.set_stance("force_eager"), tracer.recording():
        return function(*given)


def _holding_targets(trace: Trace) -> frozenset[int]:
    """Modules that take several parts of the batch: the loss may be computed inside."""
    found = set()
    for operation in trace.tracer.operations:
        if operation.function is not None and not isinstance(operation.function, nn.Module):
            continue
        parts = {trace.part(leaf) for _, leaf in paths_of(operation.given) if isinstance(leaf, Tensor)}
        if len(parts - {None}) > 1:
            found.add(id(operation.function if operation.function is not None else trace.model))
    return frozenset(found)


def _size(batch: Any) -> int:
    """Samples of a batch: the extent that most of its tensors begin with."""
    extents = [len(leaf) for _, leaf in paths_of(batch) if isinstance(leaf, Tensor) and leaf.dim() > 0]
    return max(set(extents), key=extents.count, default=0)


def _observed(fit: Fit, step: str, known: Sequence[_Followed], task: Task) -> Observation:
    first = known[0]
    draft = next((each for each in drafts(first.trace, first.roles, task, first.size) if _holds(each, known)), None)
    outputs, targets = (
        described(first.trace, value, first.size) for value in (first.roles.outputs, first.roles.targets)
    )
    used = f"{step} compares {outputs} with {targets}"
    if draft is None:
        reason = why_not(first.trace, first.roles, task, first.size)
        lacking = {"split": f"{used}; {reason}", "predict": reason}
        return Observation(step=step, used=used, lacking=lacking, candidates=_candidates([first.trace.batch]))
    body, reason = _loss(known, draft, task)
    asked, why = _predicts(fit.model, known, draft, task)
    logged = {"loss": first.roles.logged_as} if body and first.roles.logged_as and step == "validation_step" else {}
    return Observation(
        step=step,
        split=draft.split,
        outputs=draft.outputs,
        loss=body,
        loss_by_hand=bool(body) and first.roles.call is None,
        loss_reason=reason,
        used=used,
        single=first.trace.tensor(first.roles.outputs).numel() == first.size,
        threshold=_threshold(first),
        predict_step=asked,
        predict_reason=why,
        logged=logged,
    )


def _functions(draft: Draft) -> tuple[Any, Any]:
    split = compiled("split", "batch", draft.split or ("return by_convention(batch)",), _SCOPE)
    body = draft.outputs or ("return forward(model, inputs)",)
    return split, compiled("outputs", "model, inputs", body, _SCOPE)


def _answered(draft: Draft, followed: _Followed) -> tuple[Any, Tensor, Any]:
    """Inputs, outputs and targets by a draft."""
    split, outputs = _functions(draft)
    inputs, targets = split(followed.trace.batch)
    torch.manual_seed(_SEED)
    with torch.no_grad():
        return inputs, outputs(followed.trace.model, inputs), targets


def _holds(draft: Draft, known: Sequence[_Followed]) -> bool:
    """Whether a draft gives, on every batch, what the step compared."""
    for followed in known:
        trace, roles = followed.trace, followed.roles
        try:
            _, outputs, targets = _answered(draft, followed)
        except Exception:  # noqa: BLE001 - a draft that does not fit fails in any way
            return False
        if not _alike(outputs, trace.tensor(roles.outputs)) or not _same_targets(targets, trace.tensor(roles.targets)):
            return False
    return True


def _alike(one: Any, other: Tensor) -> bool:
    if not isinstance(one, Tensor) or one.shape != other.shape:
        return False
    return torch.allclose(one.float(), other.float(), rtol=_CLOSE, atol=1e-5, equal_nan=True)


def _same_targets(targets: Any, seen: Tensor) -> bool:
    """Equal, or the classes of rows of zeros and a one; what the loss ignores may be marked otherwise."""
    if not isinstance(targets, Tensor):
        return False
    if targets.shape == seen.shape:
        return bool(((targets == seen) | (targets == -100)).all())
    return seen.dim() == targets.dim() + 1 and torch.equal(seen.argmax(dim=1), targets)


def _loss(known: Sequence[_Followed], draft: Draft, task: Task) -> tuple[tuple[str, ...], str]:
    """The body of loss(), and why there is none."""
    try:
        body = loss_body(known[0].trace, known[0].roles, task, known[0].size)
    except NotWritten as error:
        return (), str(error)
    function = compiled("loss", "outputs, targets", body, _SCOPE)
    for followed in known:
        assert followed.roles.loss is not None
        try:
            _, outputs, targets = _answered(draft, followed)
            computed = function(*fitted(outputs.cpu(), targets.cpu(), task))
        except Exception as error:  # noqa: BLE001 - drafted code fails in any way on shapes that it was not made for
            return (), f"written out, it fails: {type(error).__name__}: {error}"
        if not _alike(computed.reshape(()), followed.trace.tensor(followed.roles.loss).cpu().reshape(())):
            return (), "written out, it gives another number than the step"
    return body, ""


def _threshold(followed: _Followed) -> str:
    call = followed.roles.call
    if call is not None:
        return THRESHOLDS.get(call.name, "0")
    outputs = followed.trace.tensor(followed.roles.outputs).float()
    return "0.5" if bool(((outputs >= 0) & (outputs <= 1)).all()) else "0"


def _predicts(model: Any, known: Sequence[_Followed], draft: Draft, task: Task) -> tuple[bool, str]:
    """Whether predict_step answers what the outputs mean, and why it does not."""
    if not has_predict_step(model):
        return False, ""
    for followed in known:
        inputs, outputs, targets = _answered(draft, followed)
        try:
            with torch.no_grad():
                served = predict_step(model, inputs)
        except Exception as error:  # noqa: BLE001 - a user's predict_step may raise anything
            return False, f"asked with the inputs it raises {type(error).__name__}: {error}"
        reason = _differs(served, outputs, targets, task, _threshold(known[0]))
        if reason:
            return False, reason
    return True, ""


def _differs(served: Any, outputs: Tensor, targets: Tensor, task: Task, threshold: str) -> str:
    """Why what was served is not read as answers; empty where it is."""
    if not isinstance(served, Tensor):
        return "it gives texts"
    shapes = (
        f"it gives {list(served.shape)} {str(served.dtype).removeprefix('torch.')}, the loss sees {list(outputs.shape)}"
    )
    if has_values(task):
        alike = served.numel() == outputs.numel() and _alike(served.reshape(outputs.shape), outputs)
        return "" if alike else f"{shapes} in another unit"
    if not served.is_floating_point():
        return "" if served.numel() == targets.numel() else shapes
    if served.shape != outputs.shape:
        return shapes
    if outputs.numel() > targets.numel():
        return ""
    same = torch.equal(served > 0.5, outputs > float(threshold))
    return "" if same else f"{shapes}, and they are no probabilities of the second class"


def _candidates(batches: Sequence[Any]) -> tuple[str, ...]:
    """The parts of a batch by name and shape."""
    if not batches:
        return ()
    found = []
    for path, leaf in paths_of(batches[0]):
        name = "batch" + "".join(f".{step}" if kind == "attribute" else f"[{step!r}]" for kind, step in path)
        shape = f"{list(leaf.shape)} {str(leaf.dtype).removeprefix('torch.')}" if isinstance(leaf, Tensor) else ""
        found.append(f"{name} {shape or type(leaf).__name__}")
    return tuple(found)
