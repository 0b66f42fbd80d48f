"""The mean absolute error as the loss, where that is what versions are ranked by."""

from progtrain.actions._replace_squared_error import ReplaceSquaredError


class AbsoluteLoss(ReplaceSquaredError):
    """Replace the training's mean squared error by the mean absolute error; what validation measures itself stays."""

    answers = ("loss-off-metric",)
    probability = 0.6
    gain = 0.15
    function = "l1_loss"
    module = "L1Loss"
    change = "the mean squared error becomes the mean absolute error"
    goal = "Estimate the median, which the metric asks for, and not the mean"
    expected_impact = "The mean absolute error shrinks, the largest errors may grow; training losses cannot be compared"
    verification = "The primary metric is better than the parent's"
