"""Weight decay for matrices only: biases and normalizations are left alone."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction, number, one_optimizer
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.optimization import find_optimizers
from progtrain.script.reading.structure import ParsedScript, argument, rebuild


class NoDecayOnNorms(StructuralAction):
    """Give parameters of one dimension (biases, scales of normalizations) a group without weight decay."""

    family = "optimizer"
    touches = frozenset({"parameter_groups", "weight_decay"})
    answers = ("underfitting", "within-noise")
    risk = "low"
    probability = 0.35
    gain = 0.03
    goal = "Shrink the weights that can overfit, and not the offsets and scales that cannot"
    expected_impact = "A slightly lower training loss at the same gap"
    verification = "The validation loss at the best epoch is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        settings = one_optimizer(situation)
        if len(settings.groups) != 1:
            raise EditError(f"the optimizer has {len(settings.groups)} parameter groups already")
        decay = number(settings, "weight_decay")
        if not decay:
            raise EditError("there is no weight decay to keep from anything; it wants one above zero")
        layers = situation.snapshot.layers
        if not any("Norm" in layer.type or layer.arguments.get("bias") for layer in layers):
            raise EditError("the model has neither biases nor normalizations")
        return Binding({"weight_decay": decay}, "biases and normalizations are no longer decayed", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        calls = find_optimizers(script)
        if len(calls) != 1:
            raise EditError(f"Expected one torch.optim optimizer, found {len(calls)}. Make the groups by hand.")
        given = argument(calls[0], 0, "params")
        owner = script.text(given).removesuffix(".parameters()") if given is not None else ""
        if given is None or script.text(given) != f"{owner}.parameters()":
            raise EditError(f"Line {calls[0].lineno}: expected `self.parameters()`. Make the groups by hand.")
        # A decay that the call leaves to its default would stand nowhere in the script but as the other group's zero.
        named = any(keyword.arg == "weight_decay" for keyword in calls[0].keywords)
        decay = "" if named else f', "weight_decay": {parameters["weight_decay"]}'
        indent = script.indentation(script.start(given))
        groups = (
            f'[\n{indent}    {{"params": [p for p in {owner}.parameters() if p.ndim > 1]{decay}}},\n'
            f'{indent}    {{"params": [p for p in {owner}.parameters() if p.ndim <= 1], "weight_decay": 0.0}},\n'
            f"{indent}]"
        )
        return changed(source, rebuild(source, [script.replace(given, groups)]), self.name)
