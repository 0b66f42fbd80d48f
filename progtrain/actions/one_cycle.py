"""The one-cycle schedule: warm up, peak, and anneal to nothing within the run (Smith, arXiv 1708.07120)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._schedule import constant_rate, with_scheduler
from progtrain.actions._structural import Binding, StructuralAction, number
from progtrain.actions.base import Situation, changed
from progtrain.records import OptimizerSettings

_ARGUMENTS = "max_lr={rate}, total_steps=self.trainer.estimated_stepping_batches"
#: Peak rates that a cycle stands on small and middling networks; a rate is raised towards them at most tenfold.
_PLAIN_SGD_PEAK = 0.3
_MOMENTUM_PEAK = 0.1
_ADAPTIVE_PEAK = 1e-2
#: Optimizers that have no momentum, or only if they are given one.
_WITHOUT_MOMENTUM = frozenset({"SGD", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD", "LBFGS", "Adafactor"})
_FACTORS = (10.0, 5.0, 3.0, 2.0)


class OneCycle(StructuralAction):
    """Put a constant rate under OneCycleLR, stepping with the batches."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("constant-rate", "late-jitter", "still-improving", "slow", "few-steps", "underfitting")
    risk = "low"
    probability = 0.65
    gain = 0.25
    goal = "Use a high rate while it helps and settle before the last epoch"
    expected_impact = "The validation metric rises to the end of training, with no jitter in the last epochs"
    verification = "The best epoch is among the last, and its metric above the parent's best"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        settings = constant_rate(situation)
        factor = 1.0 if "lr" in situation.locks else _peak_factor(settings, situation.suggested_peak)
        # The cycle would otherwise write a momentum into an optimizer that has none, or fail for want of one.
        cycle_momentum = settings.type not in _WITHOUT_MOMENTUM or number(settings, "momentum") > 0
        return Binding(
            parameters={"factor": factor, "cycle_momentum": cycle_momentum},
            change=f"OneCycleLR with its peak at {factor:g} times the present rate",
            touches=self.touches,
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        factor = parameters["factor"]
        assert isinstance(factor, int | float)
        arguments = _ARGUMENTS if parameters["cycle_momentum"] else f"{_ARGUMENTS}, cycle_momentum=False"
        return changed(source, with_scheduler(source, "OneCycleLR", arguments, {"interval": "step"}, factor), self.name)


def _peak_factor(settings: OptimizerSettings, suggested: float | None) -> float:
    """Times the present rate; a range test's suggestion is the peak, as far as a factor of ten reaches."""
    rate = number(settings, "lr")
    if suggested is not None and rate > 0:
        return float(f"{min(max(suggested / rate, 1 / _FACTORS[0]), _FACTORS[0]):.2g}")
    if settings.type == "SGD":
        peak = _MOMENTUM_PEAK if number(settings, "momentum") else _PLAIN_SGD_PEAK
    else:
        peak = _ADAPTIVE_PEAK
    return next((factor for factor in _FACTORS if factor * rate <= peak * 1.01), 1.0)
