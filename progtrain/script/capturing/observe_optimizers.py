"""What `configure_optimizers` builds: optimizers as constructed, schedulers with the arguments they were given."""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
from pydantic import JsonValue
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from progtrain.records import OptimizerSettings, SchedulerSettings
from progtrain.script.capturing.rate_hooks import run_rate_hooks
from progtrain.script.capturing.restoring import restore_optimizers

#: How a step is carried out, not what it computes.
_RUNTIME_ONLY: Final = frozenset(
    {
        "params",
        "param_names",
        "foreach",
        "capturable",
        "differentiable",
        "fused",
        "initial_lr",
        "decoupled_weight_decay",
    }
)
_SCHEDULER_BOOKKEEPING: Final = frozenset({"self", "optimizer", "verbose"})

Group = dict[str, JsonValue]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class OptimizerSetup:
    """The optimizers and schedulers of a fit."""

    optimizers: tuple[OptimizerSettings, ...]
    schedulers: tuple[SchedulerSettings, ...]


def observe_optimizers(trainer: Any) -> OptimizerSetup:
    """Have Lightning call `configure_optimizers`, and describe what comes of it.

    Args:
        trainer: to which model and data are attached; it keeps the optimizers, as in a fit.

    Raises:
        Exception: whatever `configure_optimizers` raises.
    """
    with _recorded() as (constructed, arguments):
        trainer.strategy.setup_optimizers(trainer)
    # `estimated_stepping_batches` has perhaps started an iterator with its workers.
    trainer.fit_loop.teardown()
    strategy = trainer.strategy
    optimizers = [each for each in strategy.optimizers if isinstance(each, Optimizer)]
    restored = restore_optimizers(trainer)
    before = [_groups(each) for each in optimizers]
    as_built = strategy.lr_scheduler_configs and not restored
    own = [constructed.get(id(each), now) if as_built else now for each, now in zip(optimizers, before, strict=True)]
    run_rate_hooks(trainer)
    trained = [_changed(*each) for each in zip(own, before, map(_groups, optimizers), strict=True)]
    return OptimizerSetup(
        tuple(
            OptimizerSettings(type=type(each).__name__, groups=tuple(groups))
            for each, groups in zip(optimizers, trained, strict=True)
        ),
        tuple(
            SchedulerSettings(
                type=type(config.scheduler).__name__,
                arguments=_bound(config.scheduler, arguments) | (_restored(config.scheduler) if restored else {}),
                interval=config.interval,
                monitor=config.monitor if config.reduce_on_plateau else None,
            )
            for config in strategy.lr_scheduler_configs
        ),
    )


def _changed(groups: list[Group], before: list[Group], after: list[Group]) -> list[Group]:
    """The groups with what hooks changed of them between two moments."""
    if len(groups) != len(before):
        return after
    return [
        {**group, **{key: value for key, value in new.items() if old.get(key) != value}}
        for group, old, new in zip(groups, before, after, strict=False)
    ]


@contextmanager
def _recorded() -> Iterator[tuple[dict[int, list[Group]], dict[int, Arguments]]]:
    """Note every optimizer's groups before a scheduler alters them, and every scheduler's arguments."""
    groups: dict[int, list[Group]] = {}
    arguments: dict[int, Arguments] = {}
    scheduled: set[int] = set()
    construct = Optimizer.__init__

    def noted_init(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **kwargs)
        groups[id(self)] = _groups(self)

    def noted_new(cls: type[LRScheduler], *args: Any, **kwargs: Any) -> LRScheduler:
        scheduler = object.__new__(cls)
        optimizer = args[0] if args else kwargs.get("optimizer")
        if isinstance(optimizer, Optimizer) and id(optimizer) not in scheduled:
            scheduled.add(id(optimizer))
            groups[id(optimizer)] = _groups(optimizer)
        arguments[id(scheduler)] = args, kwargs
        return scheduler

    Optimizer.__init__ = noted_init  # type: ignore[method-assign]
    LRScheduler.__new__ = noted_new  # type: ignore[assignment]
    try:
        yield groups, arguments
    finally:
        Optimizer.__init__ = construct  # type: ignore[method-assign]
        # Deleting it would leave a class that refuses arguments (CPython keeps the slot): put a plain one in place.
        LRScheduler.__new__ = lambda cls, *args, **kwargs: object.__new__(cls)  # type: ignore[method-assign]


def _groups(optimizer: Optimizer) -> list[Group]:
    return [
        {
            **{k: _described(v, {}) for k, v in group.items() if k not in _RUNTIME_ONLY and _is_kept(k, v)},
            "parameters": sum(parameter.numel() for parameter in group["params"]),
        }
        for group in optimizer.param_groups
    ]


def _is_kept(key: str, value: object) -> bool:
    return not (key == "maximize" and value is False)


def _bound(scheduler: LRScheduler, arguments: Mapping[int, Arguments]) -> dict[str, JsonValue]:
    if id(scheduler) not in arguments:
        return {}
    args, kwargs = arguments[id(scheduler)]
    bound = inspect.signature(type(scheduler).__init__).bind(scheduler, *args, **kwargs)
    bound.apply_defaults()
    return {
        name: _described(value, arguments)
        for name, value in bound.arguments.items()
        if name not in _SCHEDULER_BOOKKEEPING and (name, value) != ("last_epoch", -1)
    }


def _restored(scheduler: LRScheduler) -> dict[str, JsonValue]:
    """The arguments of a scheduler that its restored state has in their place."""
    names = inspect.signature(type(scheduler).__init__).parameters
    kept = {name: value for name, value in vars(scheduler).items() if name in names}
    return {k: _described(v, {}) for k, v in kept.items() if k not in _SCHEDULER_BOOKKEEPING | {"last_epoch"}}


def _described(value: Any, arguments: Mapping[int, Arguments]) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        return value.item() if value.numel() == 1 else f"tensor{tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return [_described(each, arguments) for each in value]
    if isinstance(value, LRScheduler):
        return {"type": type(value).__name__, "arguments": _bound(value, arguments)}
    if isinstance(value, types.FunctionType):
        return f"{value.__qualname__}#{_function_hash(value)}"
    return type(value).__qualname__


def _function_hash(function: Callable[..., Any]) -> str:
    """The same for the same code with the same scalars in it, whatever line it stands on."""
    read = inspect.getclosurevars(function)
    scalars = {k: v for k, v in {**read.globals, **read.nonlocals}.items() if isinstance(v, bool | int | float | str)}
    text = repr((_code(function.__code__), function.__defaults__, sorted(scalars.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _code(code: types.CodeType) -> tuple[object, ...]:
    constants = tuple(_code(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts)
    return code.co_code, code.co_names, constants
