"""Less of the dropout that is there."""

from __future__ import annotations

from progtrain.actions._dropout_step import DropoutStep


class LowerDropout(DropoutStep):
    """Lower every dropout by a tenth, to nothing at least."""

    answers = ("underfitting",)
    probability = 0.45
    gain = 0.08
    step = -0.1
    goal = "Let the network fit the training set first"
    expected_impact = "The training loss falls, and the validation loss with it"
    verification = "Both losses at the end are below the parent's"
