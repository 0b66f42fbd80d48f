"""Torch's loss functions, and the arguments of theirs that 03_eval.py states."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import JsonValue

#: Loss functional -> its scalar arguments that are kept, with torch's defaults (which are not written out).
LOSSES: Final[dict[str, dict[str, JsonValue]]] = {
    "cross_entropy": {"ignore_index": -100, "label_smoothing": 0.0},
    "nll_loss": {"ignore_index": -100},
    "binary_cross_entropy": {},
    "binary_cross_entropy_with_logits": {},
    "multi_margin_loss": {"p": 1, "margin": 1.0},
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": 1.0},
    "huber_loss": {"delta": 1.0},
    "poisson_nll_loss": {"log_input": True, "full": False, "eps": 1e-8},
    "ctc_loss": {"blank": 0, "zero_infinity": False},
}
#: To which a class is the same as its row of zeros and a one.
TAKE_CLASSES: Final = frozenset({"cross_entropy", "nll_loss"})
#: Loss functional -> above which output it takes the second class to be likelier.
THRESHOLDS: Final = {"binary_cross_entropy": "0.5", "binary_cross_entropy_with_logits": "0"}


def arguments_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a function by name, without those that have their default."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {**{f"argument_{position}": value for position, value in enumerate(args)}, **kwargs}
    usual = {name: parameter.default for name, parameter in signature.parameters.items()}
    return {name: value for name, value in bound.items() if value is not usual[name]}
