"""A step traced on one batch, followed to what it compares."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from progtrain.evaluation.writing.roles import NotFollowed, Roles, find_roles
from progtrain.evaluation.writing.trace import Trace
from progtrain.evaluation.writing.tracing import Tracer, paths_of
from progtrain.tasks import Task

SEED: Final = 0
_DEEPEST: Final = 4
_LISTS: Final = "a batch is a list with an entry a sample; put samples together in the collate_fn of the loader"


@dataclass(frozen=True)
class Followed:
    """A traced step in which the roles are known."""

    trace: Trace
    roles: Roles
    size: int

    @property
    def shapes(self) -> tuple[torch.Size, torch.Size]:
        """Of the outputs and of the targets."""
        return self.trace.tensor(self.roles.outputs).shape, self.trace.tensor(self.roles.targets).shape


def follow(
    model: Any, step: str, batch: Any, expected: int, task: Task, monitored: frozenset[str], position: int = 0
) -> Followed | NotFollowed:
    """Trace a step on one batch, and find what it compares; modules that hold the loss inside are looked into.

    Args:
        model: the LightningModule, in evaluation mode.
        step: `validation_step` or `training_step`.
        batch: as the step gets it.
        expected: samples that were asked for.
        task: what the targets are.
        monitored: names that checkpoints watch.
        position: of the batch's loader among several.
    """
    size, opened = _size(batch, expected), frozenset[int]()
    for _ in range(_DEEPEST):
        tracer = Tracer(model, opened)
        try:
            returned = _run(model, step, batch, position, tracer)
        except Exception as error:  # noqa: BLE001 - a user's step may raise anything
            return NotFollowed(f"it raises {type(error).__name__}: {str(error).strip()}")
        trace = Trace(model, batch, tracer, returned)
        roles = find_roles(trace, task, monitored, size)
        if isinstance(roles, Roles):
            return Followed(trace, roles, size)
        inner = _holding_targets(trace) - opened
        if not inner:
            return NotFollowed(_LISTS) if _is_list_of_samples(batch, expected) else roles
        opened |= inner
    return NotFollowed(f"its loss is computed more than {_DEEPEST} modules deep")


def _run(model: Any, step: str, batch: Any, position: int, tracer: Tracer) -> Any:
    function = getattr(model, step)
    parameters = inspect.signature(function).parameters
    given = [batch, 0][: len([name for name in parameters if name != "dataloader_idx"])]
    loader = {"dataloader_idx": position} if "dataloader_idx" in parameters else {}
    torch.manual_seed(SEED)
    with torch.no_grad(), torch.compiler.set_stance("force_eager"), tracer.recording():
        return function(*given, **loader)


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


def _size(batch: Any, expected: int) -> int:
    """Samples of a batch: as many as were asked for, else the extent that most of its tensors begin with."""
    extents = [len(leaf) for _, leaf in paths_of(batch) if isinstance(leaf, Tensor) and leaf.dim() > 0]
    return expected if expected in extents else max(set(extents), key=extents.count, default=0)


def _is_list_of_samples(batch: Any, expected: int) -> bool:
    """Whether a part of the batch has an entry a sample, of which no tensor has been made."""
    paths = [path for path, leaf in paths_of(batch) if isinstance(leaf, Tensor)]
    rows = [len(leaf) for _, leaf in paths_of(batch) if isinstance(leaf, Tensor) and leaf.dim() > 0]
    entries: dict[Any, set[Any]] = {}
    for path in paths:
        for depth, step in enumerate(path):
            entries.setdefault(path[:depth], set()).add(step)
    return expected > 1 and expected not in rows and any(len(found) == expected for found in entries.values())
