"""A smaller learning rate, where steps are too large to settle."""

from progtrain.actions._scale_rate import NEAR, ScaleRate
from progtrain.actions.base import Situation


class LowerLearningRate(ScaleRate):
    """Divide the learning rate by three, by ten where it diverged or is huge, or follow a range test."""

    answers = ("diverged", "huge-rate", "oscillating")
    risk = "low"
    probability = 0.5
    gain = 0.2
    raises = False
    goal = "Take steps small enough to settle"
    expected_impact = "The validation curve swings less, and ends lower"
    verification = "No swings in the last quarter of the epochs"

    def bounds_for(self, situation: Situation) -> tuple[float, float]:
        """See ScaleRate."""
        return 1e-7, float("inf")

    def factor_for(self, situation: Situation) -> float:
        """See ScaleRate."""
        return 1 / 10 if situation.finding("diverged", "huge-rate") else 1 / 3

    def suggested_factor(self, situation: Situation) -> float | None:
        """See ScaleRate; that a whole training diverged outweighs the few steps of a test that did not."""
        factor = super().suggested_factor(situation)
        return None if factor is not None and factor >= 1 - NEAR and situation.finding("diverged") else factor
