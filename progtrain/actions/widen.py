"""Twice the hidden width."""

from __future__ import annotations

from progtrain.actions._width_factor import WidthFactor


class Widen(WidthFactor):
    """Double every hidden width."""

    answers = ("underfitting", "slow", "still-improving")
    risk = "low"
    probability = 0.6
    gain = 0.2
    factor = 2
    goal = "Give the network the capacity to fit the training set"
    expected_impact = "The training loss ends lower, and the validation loss follows"
    verification = "The training loss at the end is below the parent's"
