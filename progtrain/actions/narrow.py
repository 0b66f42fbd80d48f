"""Half the hidden width."""

from __future__ import annotations

from progtrain.actions._width_factor import WidthFactor


class Narrow(WidthFactor):
    """Halve every hidden width."""

    answers = ("overfitting",)
    risk = "medium"
    probability = 0.25
    gain = 0.05
    factor = 0.5
    goal = "Leave the network too little room to learn the training set by heart"
    expected_impact = "The training loss ends higher, and the validation loss does not"
    verification = "The gap between validation and training loss at the end is below the parent's"
