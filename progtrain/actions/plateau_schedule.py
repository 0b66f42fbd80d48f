"""A rate that falls whenever the watched metric has stopped getting better."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._callback import monitored, trainer_call
from progtrain.actions._schedule import constant_rate, with_scheduler
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript

_FACTOR = 0.3
#: The rate falls after a tenth of the epochs without a gain.
_PATIENCE_SHARE = 10
_RARE_VALIDATION = frozenset({"check_val_every_n_epoch", "val_check_interval", "limit_val_batches"})


class PlateauSchedule(StructuralAction):
    """Put a constant rate under ReduceLROnPlateau, watching what ModelCheckpoint watches."""

    family = "schedule"
    touches = frozenset({"scheduler"})
    answers = ("late-jitter", "constant-rate", "best-early")
    risk = "low"
    probability = 0.45
    gain = 0.1
    goal = "Lower the rate when, and only when, it has nothing more to give"
    expected_impact = "The validation metric goes on getting better behind its plateau, with less jitter"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        constant_rate(situation)
        watched, epochs = monitored(situation.snapshot), situation.snapshot.max_epochs
        if epochs is None or epochs < _PATIENCE_SHARE:
            raise EditError(f"{epochs} epochs are too few to wait for a plateau")
        parameters: dict[str, JsonValue] = {
            "monitor": watched.monitor,
            "mode": watched.mode,
            "patience": epochs // _PATIENCE_SHARE,
        }
        change = f"the rate falls to {_FACTOR:g} of itself after {parameters['patience']} epochs without a gain"
        return Binding(parameters, f"ReduceLROnPlateau: {change} in {watched.monitor}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        rare = {given.arg for given in trainer_call(ParsedScript(source)).keywords} & _RARE_VALIDATION
        if rare:
            raise EditError(f"the Trainer has {', '.join(map(str, rare))}: the metric may be missing after an epoch")
        arguments = f'mode="{parameters["mode"]}", factor={_FACTOR}, patience={parameters["patience"]}'
        child = with_scheduler(source, "ReduceLROnPlateau", arguments, {"monitor": str(parameters["monitor"])})
        return changed(source, child, self.name)
