"""Huber's loss: squared for small errors, linear for large ones (Huber 1964)."""

from progtrain.actions._replace_squared_error import ReplaceSquaredError


class HuberLoss(ReplaceSquaredError):
    """Replace the training's mean squared error by Huber's loss; what validation measures by itself stays."""

    answers = ("heavy-tailed-residuals",)
    probability = 0.55
    gain = 0.15
    function = "huber_loss"
    module = "HuberLoss"
    change = "the mean squared error becomes Huber's loss, linear beyond errors of 1"
    goal = "Keep a few large errors from deciding where the model goes"
    expected_impact = "Typical errors shrink, the largest ones may grow; training losses cannot be compared"
    verification = "The locked metric is better, and the worst samples carry less of the whole error"
