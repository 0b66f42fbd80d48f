"""What the actions that put AdamW in another optimizer's place have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction, number, one_optimizer
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import OptimizerSettings
from progtrain.script.editing.edit import set_knob
from progtrain.script.editing.optimization import schedule_follows_rate, to_adamw
from progtrain.script.reading.structure import ParsedScript

_DEFAULT_WEIGHT_DECAY = 0.01
#: Rates that AdamW trains with on most networks; outside it, a rate that may not be changed forbids the swap.
_USABLE_RATES = (1e-4, 1e-2)


class ToAdamW(StructuralAction):
    """Replace an optimizer by AdamW.

    Attributes:
        replaces: the class that it replaces.
        rate: learning rate to go with it, where the script's may be changed; None keeps the script's.
        group_keys: settings of a parameter group, apart from rate and weight decay, that differ between the classes.
    """

    family = "optimizer"
    replaces: ClassVar[str]
    rate: ClassVar[float | None] = None
    group_keys: ClassVar[frozenset[str]]

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        settings = one_optimizer(situation)
        if settings.type != self.replaces:
            raise EditError(f"it replaces {self.replaces}, and the script trains with {settings.type}")
        rate = self._rate(situation, settings)
        named = situation.anatomy.knobs.get("weight_decay") is not None
        decay = number(settings, "weight_decay")
        keep_decay = not named and "weight_decay" in situation.locks
        touches = {"optimizer", "optimizer_options", *self.group_keys}
        if rate is not None:
            touches.add("lr")
        if not named and not keep_decay and decay != _DEFAULT_WEIGHT_DECAY:
            touches.add("weight_decay")
        return Binding(
            parameters={"lr": rate, "weight_decay": decay if keep_decay else None},
            change=f"{self.replaces} becomes AdamW" + (f" at a learning rate of {rate:g}" if rate is not None else ""),
            touches=frozenset(touches),
        )

    def _rate(self, situation: Situation, settings: OptimizerSettings) -> float | None:
        """The new rate; None where the present one stays."""
        present = number(settings, "lr")
        if self.rate is None or present == self.rate:
            return None
        knob = situation.anatomy.knobs.get("lr")
        if "lr" not in situation.locks and knob is not None and knob.why_not is None:
            if not schedule_follows_rate(ParsedScript(situation.anatomy.source)):
                raise EditError("the scheduler has a peak rate of its own, which AdamW could not train with")
            return self.rate
        low, high = _USABLE_RATES
        if not low <= present <= high:
            raise EditError(f"the rate {present:g} may not be changed here, and AdamW wants {low:g} to {high:g}")
        return None

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        rate, decay = parameters["lr"], parameters["weight_decay"]
        child = to_adamw(source, self.replaces, float(decay) if isinstance(decay, int | float) else None)
        return changed(source, child if rate is None else set_knob(child, "lr", rate), self.name)
