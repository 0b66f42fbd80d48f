"""What a Trainer leaves out of a training, told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from progtrain.errors import CaptureError


def limits_of(trainer: Any) -> tuple[str, ...]:
    """Every limit that makes a training, or what it says of itself, another one than on the whole data.

    Raises:
        CaptureError: it leaves no checkpoint at all.
    """
    if trainer.fast_dev_run:
        raise CaptureError(
            f"The Trainer has fast_dev_run={trainer.fast_dev_run}: Lightning then writes no checkpoint, so there would "
            "be nothing to measure. Take it out."
        )
    return tuple(_limits(trainer))


def _limits(trainer: Any) -> Iterator[str]:
    if trainer.overfit_batches:
        yield f"overfit_batches={trainer.overfit_batches}: it trains, and validates, on the first batches alone"
        return
    if _is_part(trainer.limit_train_batches):
        yield f"limit_train_batches={trainer.limit_train_batches}: an epoch takes a part of the training set alone"
    if trainer.limit_val_batches == 0:
        yield "limit_val_batches=0: it never validates, so no checkpoint can be the best by a validation figure"
    elif _is_part(trainer.limit_val_batches):
        yield (
            f"limit_val_batches={trainer.limit_val_batches}: it validates on a part of the validation set alone; "
            "03_eval.py measures all of it"
        )


def _is_part(limit: float | int) -> bool:
    """A share below 1, or a number of batches: 1 is one batch, 1.0 is all of them."""
    return isinstance(limit, int) or limit != 1.0
