"""A target of mean 0 and spread 1 inside the model, which answers on the target's own scale."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._batch import require_pairs
from progtrain.actions._numeric_target import find_places, require_plain_distance
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._training_data import filled_before_fit
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.editing.edit import add_import
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_ATOMS = (ast.Call, ast.Name, ast.Subscript, ast.Attribute)


class StandardizeTarget(StructuralAction):
    """Let the network estimate (target - mean) / spread: forward answers on the target's scale, by two buffers."""

    family = "loss"
    # The training loss is the same distance, divided by a constant: what is learnt stays, its scale changes.
    touches = frozenset({"computation"})
    answers = ("unscaled-target",)
    risk = "low"
    probability = 0.8
    gain = 0.5
    goal = "Spare the last layer the way to the target's scale, which at a rate made for answers near 1 takes long"
    expected_impact = "The error falls far faster from the first epoch on; training losses are not comparable"
    verification = "The locked metric, measured on the target's own scale, is better"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        if situation.finding(*self.answers) is None:
            raise EditError("the target is not known to be on a scale of its own")
        require_pairs(situation.snapshot)
        require_plain_distance(situation.snapshot)
        return Binding(
            {"size": [*_columns(situation.snapshot)]},
            "the network estimates the standardized target, and forward answers on the target's scale",
            self.touches,
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        size = parameters["size"]
        assert isinstance(size, list)
        source = add_import(source, "torch")
        module = find_module(ParsedScript(source))
        places = find_places(module)
        edits = filled_before_fit(
            module,
            "set_target_statistics",
            "Mean and spread of the training targets, in buffers that checkpoints keep.",
            (
                "targets = torch.cat([targets for _, targets in batches]).float()",
                "model.target_mean.copy_(targets.mean(dim=0))",
                "model.target_std.copy_((targets - model.target_mean).square().mean().sqrt())",
            ),
        )
        extents = ", ".join(str(extent) for extent in size)
        held = [
            module.in_init(f'self.register_buffer("target_mean", torch.zeros({extents or "()"}))'),
            module.in_init('self.register_buffer("target_std", torch.ones(()))'),
        ]
        scaled = [
            *_followed(module.script, places.returned, " * self.target_std + self.target_mean"),
            *_followed(module.script, places.answer, " / self.target_std"),
            *_followed(module.script, places.target, " / self.target_std"),
        ]
        return changed(source, rebuild(source, [*edits, *held, *scaled]), self.name)


def _columns(snapshot: Snapshot) -> list[int]:
    """Extents of one sample's target: none for a number, one for several."""
    match snapshot.batch:
        case [_, {"shape": [int(), *extents]}] if len(extents) <= 1:
            return [extent for extent in extents if isinstance(extent, int)]
    raise EditError("the targets of a batch are not one number, or one row of them, a sample")


def _followed(script: ParsedScript, expression: ast.expr, text: str) -> tuple[Edit, ...]:
    """The edits that put an operator and its operand behind an expression."""
    end = script.end(expression)
    if isinstance(expression, _ATOMS):
        return (Edit(end, end, text),)
    start = script.start(expression)
    return Edit(start, start, "("), Edit(end, end, f"){text}")
