"""Cosine annealing to zero over the epochs (Loshchilov and Hutter, arXiv 1608.03983)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._schedule import constant_rate, with_scheduler
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError


class CosineSchedule(StructuralAction):
    """Put a constant rate under CosineAnnealingLR, stepping with the epochs."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("late-jitter", "constant-rate", "best-early")
    risk = "low"
    probability = 0.6
    gain = 0.15
    goal = "Settle into the minimum that the constant rate keeps jumping over"
    expected_impact = "Less jitter in the last epochs, and a better last epoch"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        constant_rate(situation)
        if situation.snapshot.max_epochs in (None, -1):
            raise EditError("the cosine needs a number of epochs, and the Trainer has only max_steps")
        return Binding({}, "CosineAnnealingLR from the present rate to zero over all epochs", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        child = with_scheduler(source, "CosineAnnealingLR", "T_max=self.trainer.max_epochs")
        return changed(source, child, self.name)
