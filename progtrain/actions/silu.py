"""SiLU in ReLU's place (Elfwing et al., arXiv 1702.03118)."""

from progtrain.actions._replace_relu import ReplaceReLU


class SiLU(ReplaceReLU):
    """Replace every ReLU by SiLU."""

    module = "torch.nn.SiLU"
    function = "torch.nn.functional.silu"
    answers = ("dead-units", "underfitting", "within-noise")
    probability = 0.45
    gain = 0.06
    goal = "Let gradients through where ReLU would pass none"
    expected_impact = "Fewer dead units, and a somewhat lower training loss"
    verification = "The share of units that are zero over a validation pass falls"
