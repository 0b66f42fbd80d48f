"""A larger learning rate: more progress in the same epochs (arXiv 1803.09820)."""

from typing import Final

from progtrain.actions._scale_rate import ScaleRate
from progtrain.actions.base import Situation

FAR: Final = 0.5
"""With more than this share of a trivial predictor's loss left, all epochs hardly began: three times is too little."""

LARGEST: Final = 3.0
LARGEST_ADAPTIVE: Final = 0.06
"""Of optimizers that scale every step to the size of the rate; small networks stand up to about as much."""


class RaiseLearningRate(ScaleRate):
    """Multiply the learning rate by three, by ten where it is tiny or hardly began to train; or follow a range test."""

    answers = ("tiny-rate", "slow", "underfitting", "still-improving")
    risk = "medium"
    probability = 0.5
    gain = 0.25
    raises = True
    goal = "Make more progress in the same epochs"
    expected_impact = "Both losses fall faster from the first epochs on"
    verification = "The training loss falls below the parent's, without swings of its own"

    def bounds_for(self, situation: Situation) -> tuple[float, float]:
        """See ScaleRate."""
        plain = all(optimizer.type == "SGD" for optimizer in situation.snapshot.optimizers)
        return 0.0, LARGEST if plain else LARGEST_ADAPTIVE

    def factor_for(self, situation: Situation) -> float:
        """See ScaleRate."""
        slow = situation.finding("slow")
        hardly_began = slow is not None and slow.numbers.get("share_left", 0.0) > FAR
        return 10.0 if hardly_began or situation.finding("tiny-rate") else 3.0
