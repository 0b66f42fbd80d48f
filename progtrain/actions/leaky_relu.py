"""LeakyReLU in ReLU's place (Maas et al. 2013)."""

from progtrain.actions._replace_relu import ReplaceReLU


class LeakyReLU(ReplaceReLU):
    """Replace every ReLU by a LeakyReLU of slope 0.01."""

    module = "torch.nn.LeakyReLU"
    function = "torch.nn.functional.leaky_relu"
    answers = ("dead-units", "underfitting")
    probability = 0.35
    gain = 0.03
    goal = "Let a little gradient through where ReLU would pass none"
    expected_impact = "Fewer dead units, and a somewhat lower training loss"
    verification = "The share of units that are zero over a validation pass falls"
