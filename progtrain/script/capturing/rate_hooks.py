"""Hooks of a script that set an optimizer's rate, or another of its settings, before the first step is taken."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from progtrain.script.capturing.observe_step import log_silenced

_BEFORE_THE_FIRST_STEP: Final = ("on_fit_start", "on_train_start", "on_train_epoch_start")
_LIBRARIES: Final = frozenset({"lightning", "pytorch_lightning", "mlflow"})
_GROUPS: Final = frozenset({"param_groups", "add_param_group"})


def run_rate_hooks(trainer: Any) -> None:
    """Call those hooks of the script, in Lightning's order, that touch parameter groups; what they raise is ignored.

    Args:
        trainer: to which model and data are attached, and which has its optimizers.
    """
    model = trainer.lightning_module
    with log_silenced(model):
        for hook in _BEFORE_THE_FIRST_STEP:
            for owner in (*trainer.callbacks, model):
                if touches_groups(getattr(type(owner), hook, None)):
                    with suppress(Exception):
                        getattr(owner, hook)(*(() if owner is model else (trainer, model)))


def touches_groups(hook: Any) -> bool:
    """Whether a hook, or None in its place, is of the script's own and names what optimizers keep parameters in."""
    own = getattr(hook, "__module__", "").partition(".")[0] not in _LIBRARIES
    code = getattr(hook, "__code__", None)
    return own and code is not None and not _GROUPS.isdisjoint(_names(code))


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
