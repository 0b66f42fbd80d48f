"""SGD becomes AdamW: every weight gets a step of its own size (arXiv 1711.05101)."""

from progtrain.actions._to_adamw import ToAdamW


class AdamW(ToAdamW):
    """Replace SGD by AdamW, at the rate that suits it where the rate is free."""

    answers = ("plain-sgd", "slow", "oscillating", "underfitting")
    risk = "low"
    probability = 0.75
    gain = 0.45
    replaces = "SGD"
    rate = 2e-3
    touches = frozenset({"optimizer", "momentum", "nesterov", "betas", "optimizer_options", "lr", "weight_decay"})
    group_keys = frozenset({"momentum", "nesterov", "betas"})
    goal = "Make more progress in the same epochs, with steps scaled to each weight's gradients"
    expected_impact = "Both losses fall faster from the first epochs on"
    verification = "The training loss of the first three epochs is below the parent's"
