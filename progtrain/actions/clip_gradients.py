"""Gradient clipping: rare large steps are bounded."""

from pydantic import JsonValue

from progtrain.actions._set_knob import SetKnob
from progtrain.actions.base import Situation
from progtrain.errors import EditError


class ClipGradients(SetKnob):
    """Clip the gradient's norm to 1."""

    family = "clip"
    touches = frozenset({"gradient_clip"})
    answers = ("gradient-spikes", "diverged")
    risk = "low"
    probability = 0.5
    gain = 0.1
    knob = "gradient_clip"
    goal = "Keep rare large gradients from undoing progress"
    expected_impact = "The spikes of the training loss are gone"
    verification = "No isolated spikes in the training loss"

    def value_for(self, situation: Situation) -> JsonValue:
        """See SetKnob."""
        present = situation.snapshot.gradient_clip_val
        if present:
            raise EditError(f"gradients are clipped already, to {present:g}")
        return 1.0
