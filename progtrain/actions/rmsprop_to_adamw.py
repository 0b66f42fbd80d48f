"""RMSprop becomes AdamW, which adds momentum, bias correction and decoupled decay (arXiv 1711.05101)."""

from progtrain.actions._to_adamw import ToAdamW


class RMSpropToAdamW(ToAdamW):
    """Replace RMSprop by AdamW at the same rate, where that suits it."""

    answers = ("oscillating", "slow")
    risk = "low"
    probability = 0.5
    gain = 0.1
    replaces = "RMSprop"
    touches = frozenset({"optimizer", "momentum", "betas", "optimizer_options", "weight_decay"})
    group_keys = frozenset({"momentum", "betas"})
    goal = "Smooth the steps with momentum"
    expected_impact = "The validation metric swings less from epoch to epoch"
    verification = "Fewer epochs in which the metric swings by more than 0.03"
