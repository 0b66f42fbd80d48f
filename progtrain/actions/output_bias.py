"""The last layer's bias begins where nothing but the targets is known (Karpathy, "A Recipe ...")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._batch import class_count, require_pairs
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._training_data import filled_before_fit
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.editing.edit import add_import, reference
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.structure import ParsedScript, rebuild
from progtrain.script.settings.knob_values import CLASS_LOSSES, is_loss

_DISTANCES: Final = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})


class OutputBias(StructuralAction):
    """Set the last Linear layer's bias so that the first answers are those of a model that knows only the targets."""

    family = "initialization"
    touches = frozenset({"initialization"})
    answers = ("bad-initial-loss",)
    risk = "low"
    probability = 0.5
    gain = 0.1
    goal = "Spend no epochs on learning the mean answer"
    expected_impact = "The first training loss is far lower"
    verification = "The first epoch's training loss is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if situation.finding(*self.answers) is None:
            raise EditError("the first loss is not known to be above that of a model that knows only the targets")
        require_pairs(situation.snapshot)
        if any(call.function in ("exp", "expm1") for call in situation.snapshot.calls):
            raise EditError("the answers are exponentials of what the last layer gives")
        classes = _classes(situation.snapshot)
        layer = next((layer for layer in reversed(situation.snapshot.layers) if layer.parameters), None)
        if layer is None or layer.type != "Linear" or not layer.arguments.get("bias", True):
            raise EditError("the last layer is not a Linear with a bias")
        if classes is not None and layer.arguments.get("out_features") != classes:
            raise EditError(f"the last layer does not give one score for each of {classes} classes")
        source = "the training targets' mean" if classes is None else "the logarithm of the class frequencies"
        return Binding({"classes": classes}, f"the last layer's bias begins at {source}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        classes = parameters["classes"]
        source, linear = reference(add_import(source, "torch"), "torch.nn.Linear")
        if classes is None:
            bias = ["bias = targets.float().mean(dim=0)"]
        else:
            logarithm = f"torch.bincount(targets, minlength={classes}).clamp(min=1).log()"
            bias = [f"frequencies = {logarithm}", "bias = frequencies - frequencies.mean()"]
        edits = filled_before_fit(
            find_module(ParsedScript(source)),
            "set_output_bias",
            "The last layer answers what is most likely before anything is known.",
            (
                "targets = torch.cat([targets for _, targets in batches])",
                *bias,
                f"last = [layer for layer in model.modules() if isinstance(layer, {linear})][-1]",
                "last.bias.data.copy_(bias)",
            ),
        )
        return changed(source, rebuild(source, edits), self.name)


def _classes(snapshot: Snapshot) -> int | None:
    """The number of classes; None where the targets are numbers."""
    losses = [call.function for call in snapshot.calls if is_loss(call.function)]
    if len(losses) == 1 and losses[0] in CLASS_LOSSES:
        return class_count(snapshot)
    if len(losses) == 1 and losses[0] in _DISTANCES:
        return None
    raise EditError(f"expected one cross entropy or one distance as the loss, got {losses or 'none'}")
