"""An end as soon as the watched metric has not got better for long."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._callback import monitored, with_callback
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.structure import ParsedScript

_CALLBACK = "lightning.pytorch.callbacks.EarlyStopping"
_PATIENCE_SHARE = 4
_SHORTEST_PATIENCE = 3


class EarlyStopping(StructuralAction):
    """Add Lightning's EarlyStopping, watching what ModelCheckpoint watches, with a patience of a quarter."""

    family = "regularization"
    touches = frozenset({"early_stopping"})
    answers = ("best-early", "overfitting")
    risk = "low"
    probability = 0.3
    gain = 0.01
    goal = "Spend no epochs that only fit the training set more closely"
    expected_impact = "The same best epoch in less time"
    verification = "The best epoch and its metric are the parent's, and the training is shorter"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        snapshot = situation.snapshot
        watched, epochs = monitored(snapshot), snapshot.max_epochs
        if any(name.startswith("EarlyStopping") for name in snapshot.callbacks):
            raise EditError("the training stops early already")
        if snapshot.rate_changes:
            raise EditError(f"{snapshot.rate_changes}, and stopping would cut that off; it wants a constant rate")
        if epochs is None or epochs < 2 * _PATIENCE_SHARE:
            raise EditError(f"with {epochs} epochs there is nothing to be saved")
        patience = max(_SHORTEST_PATIENCE, epochs // _PATIENCE_SHARE)
        return Binding(
            {"monitor": watched.monitor, "mode": watched.mode, "patience": patience},
            f"the training ends after {patience} epochs without a gain in {watched.monitor}",
            self.touches,
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        if any(script.called(call).endswith("EarlyStopping") for call in script.calls()):
            raise EditError("Expected a training to the last epoch, found EarlyStopping. Change its patience instead.")
        arguments = 'monitor="{monitor}", mode="{mode}", patience={patience}'.format(**parameters)
        return changed(source, with_callback(source, _CALLBACK, arguments), self.name)
