"""A linear warm-up, for networks that jump when they start at the full rate (Goyal et al., arXiv 1706.02677)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._schedule import constant_rate, with_scheduler
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed

#: Warm-up takes one step in this many of the whole training.
_STEPS_PER_WARMUP_STEP = 20
_ARGUMENTS = (
    f"start_factor=0.1, total_iters=max(1, int(self.trainer.estimated_stepping_batches) // {_STEPS_PER_WARMUP_STEP})"
)


class Warmup(StructuralAction):
    """Raise the rate linearly from a tenth to its constant value over the first twentieth of the steps."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("early-instability", "diverged")
    risk = "low"
    probability = 0.6
    gain = 0.1
    goal = "Keep the first steps small until the statistics of gradients and activations have settled"
    expected_impact = "No rise of the training loss in the first tenth of the steps"
    verification = "The training loss falls from the first logged step on"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        constant_rate(situation)
        share = 100 / _STEPS_PER_WARMUP_STEP
        return Binding(
            {}, f"Linear warm-up over the first {share:g} % of the steps, then the present rate", self.touches
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        return changed(source, with_scheduler(source, "LinearLR", _ARGUMENTS, {"interval": "step"}), self.name)
