"""A smaller learning rate, where steps are too large to settle."""

from progtrain.actions._scale_rate import ScaleRate
from progtrain.actions.base import Situation


class LowerLearningRate(ScaleRate):
    """Divide the learning rate by three, by ten where the training diverged."""

    answers = ("diverged", "oscillating", "late-jitter")
    risk = "low"
    probability = 0.5
    gain = 0.2
    bounds = (1e-7, float("inf"))
    goal = "Take steps small enough to settle"
    expected_impact = "The validation curve swings less, and ends lower"
    verification = "No swings in the last quarter of the epochs"

    def factor_for(self, situation: Situation) -> float:
        """See ScaleRate."""
        return 1 / 10 if situation.finding("diverged") else 1 / 3
