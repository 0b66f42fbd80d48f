"""More of the dropout that is there."""

from __future__ import annotations

from progtrain.actions._dropout_step import DropoutStep


class RaiseDropout(DropoutStep):
    """Raise every dropout by a tenth, to one half at most."""

    answers = ("overfitting",)
    probability = 0.4
    gain = 0.06
    step = 0.1
    goal = "Regularize more, since the network still learns the training set by heart"
    expected_impact = "The training loss rises a little and the best validation loss falls"
    verification = "The gap between validation and training loss at the end is below the parent's"
