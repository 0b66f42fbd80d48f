"""A threefold learning rate: more progress in the same epochs (arXiv 1803.09820)."""

from progtrain.actions._scale_rate import ScaleRate
from progtrain.actions.base import Situation


class RaiseLearningRate(ScaleRate):
    """Multiply the learning rate by three."""

    answers = ("slow", "underfitting", "still-improving", "edge-of-range")
    risk = "medium"
    probability = 0.5
    gain = 0.25
    bounds = (0.0, 3.0)
    goal = "Make more progress in the same epochs"
    expected_impact = "Both losses fall faster from the first epochs on"
    verification = "The training loss falls below the parent's, without swings of its own"

    def factor_for(self, situation: Situation) -> float:
        """See ScaleRate."""
        return 3.0
