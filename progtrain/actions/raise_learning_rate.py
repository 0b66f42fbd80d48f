"""A larger learning rate: more progress in the same epochs (arXiv 1803.09820)."""

from typing import Final

from progtrain.actions._scale_rate import ScaleRate
from progtrain.actions.base import Situation

FAR: Final = 0.5
"""With more than this share of a trivial predictor's loss left, all epochs hardly began: three times is too little."""


class RaiseLearningRate(ScaleRate):
    """Multiply the learning rate by three, by ten where the training hardly began; or follow a range test."""

    answers = ("slow", "underfitting", "still-improving")
    risk = "medium"
    probability = 0.5
    gain = 0.25
    bounds = (0.0, 3.0)
    raises = True
    goal = "Make more progress in the same epochs"
    expected_impact = "Both losses fall faster from the first epochs on"
    verification = "The training loss falls below the parent's, without swings of its own"

    def factor_for(self, situation: Situation) -> float:
        """See ScaleRate."""
        slow = situation.finding("slow")
        return 10.0 if slow is not None and slow.numbers.get("share_left", 0.0) > FAR else 3.0
