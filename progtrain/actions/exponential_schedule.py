"""Exponential decay to a hundredth of the rate over the epochs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._schedule import constant_rate, with_scheduler
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError

_LAST_SHARE = 0.01


class ExponentialSchedule(StructuralAction):
    """Put a constant rate under ExponentialLR, so that it ends at a hundredth."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("best-early", "late-jitter", "constant-rate")
    risk = "low"
    probability = 0.4
    gain = 0.06
    goal = "Lower the rate from the first epoch on, and spend most of the training on settling"
    expected_impact = "Less jitter in the last epochs, and a better last epoch"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        constant_rate(situation)
        if situation.snapshot.max_epochs in (None, -1):
            raise EditError("the decay is measured out over epochs, and the Trainer has only max_steps")
        return Binding({}, f"ExponentialLR to {_LAST_SHARE:g} of the present rate over all epochs", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        child = with_scheduler(source, "ExponentialLR", f"gamma={_LAST_SHARE} ** (1 / self.trainer.max_epochs)")
        return changed(source, child, self.name)
