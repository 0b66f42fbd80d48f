"""GELU in ReLU's place (Hendrycks and Gimpel, arXiv 1606.08415)."""

from progtrain.actions._replace_relu import ReplaceReLU


class GELU(ReplaceReLU):
    """Replace every ReLU by GELU."""

    module = "torch.nn.GELU"
    function = "torch.nn.functional.gelu"
    answers = ("dead-units", "underfitting", "overfitting", "benign-gap", "within-noise")
    probability = 0.6
    gain = 0.12
    goal = "Let gradients through where ReLU would pass none, and answers change without corners"
    expected_impact = "Fewer dead units, and a somewhat lower validation loss"
    verification = "The share of units that are zero over a validation pass falls"
