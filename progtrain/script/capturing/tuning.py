"""Lightning's Tuner while a script is captured: it tries nothing, and what it would have set is known as no knob."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from progtrain.records import Overwritten
from progtrain.script.capturing.interception import Patches, Replace
from progtrain.script.capturing.standing import script_line

_MODULES = ("lightning.pytorch.tuner.tuning", "pytorch_lightning.tuner.tuning")


def tuner_replaced(file: str, overwrites: Callable[[Overwritten], None]) -> Patches:
    """Patches by which a Tuner finds what is there already.

    Args:
        file: the script's absolute path.
        overwrites: told of every knob whose value a training is going to find anew.
    """

    def patch(module: Any, replace: Replace) -> None:
        def find_rate(tuner: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            found = _overwritten("lr", "Tuner.lr_find", script_line(file))
            if kwargs.get("update_attr", True):
                overwrites(found)
            finder = sys.modules[module.__name__.replace("tuning", "lr_finder")]._LRFinder
            return _finding(finder, _value(model, kwargs.get("attr_name"), "lr", "learning_rate"), found, overwrites)

        def find_batch_size(tuner: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            overwrites(_overwritten("batch_size", "Tuner.scale_batch_size", script_line(file)))
            data = [each for each in (kwargs.get("datamodule"), *args) if each is not None]
            named = kwargs.get("batch_arg_name", "batch_size")
            return next((size for each in (model, *data) if (size := _value(each, named))), None)

        replace(module.Tuner, "lr_find", find_rate)
        replace(module.Tuner, "scale_batch_size", find_batch_size)

    return dict.fromkeys(_MODULES, patch)


def found_by_callbacks(trainer: Any) -> tuple[Overwritten, ...]:
    """What Lightning's own callbacks find anew at the beginning of every fit."""
    finders = {"LearningRateFinder": "lr", "BatchSizeFinder": "batch_size"}
    return tuple(
        _overwritten(finders[kind.__name__], f"the callback {kind.__name__}")
        for callback in trainer.callbacks
        for kind in type(callback).__mro__
        if kind.__name__ in finders
    )


def _overwritten(knob: str, finder: str, line: int = 0) -> Overwritten:
    place = f" in line {line}" if line else ""
    return Overwritten(knob=knob, by=f"{finder}{place} finds it anew in every training", known=False)


def _finding(finder: Any, rate: Any, found: Overwritten, overwrites: Callable[[Overwritten], None]) -> Any:
    """A result of Lightning's own class, whose suggestion is the rate that is there."""

    class Finding(finder):  # type: ignore[misc]
        def suggestion(self, *args: Any, **kwargs: Any) -> Any:
            overwrites(found)
            self._optimal_idx = 0
            return rate

    finding = Finding("exponential", 1e-8, 1.0, 100)
    finding.results = {"lr": [rate], "loss": [1.0]}
    return finding


def _value(owner: Any, *names: Any) -> Any:
    """An attribute, or a hyper-parameter, that a model or DataModule holds."""
    for holder in (owner, getattr(owner, "hparams", None)):
        for name in filter(None, names):
            value = getattr(holder, name, None)
            if isinstance(value, int | float):
                return value
    return None
