"""Adam with weight decay becomes AdamW, whose decay does not pass through the gradient's scaling (arXiv 1711.05101)."""

from progtrain.actions._to_adamw import ToAdamW


class AdamToAdamW(ToAdamW):
    """Replace Adam by AdamW at the same rate."""

    answers = ("adam-with-decay", "overfitting")
    risk = "low"
    probability = 0.4
    gain = 0.05
    replaces = "Adam"
    touches = frozenset({"optimizer", "optimizer_options", "weight_decay"})
    group_keys = frozenset[str]()
    goal = "Let weight decay shrink all weights alike, whatever their gradients"
    expected_impact = "The gap between training and validation loss narrows"
    verification = "The validation loss at the best epoch is below the parent's"
