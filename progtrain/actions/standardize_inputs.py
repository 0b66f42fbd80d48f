"""Standardized inputs: mean 0 and spread 1, by numbers that the model carries with it."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._augmentation import SHORTEST_SIGNAL
from progtrain.actions._batch import input_shape
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions._training_data import filled_before_fit
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import add_import
from progtrain.script.reading.lightning_module import ModuleText, find_module
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild


class StandardizeInputs(StructuralAction):
    """Subtract the training inputs' mean and divide by their spread, at the top of forward; both are buffers."""

    family = "data"
    touches = frozenset({"computation"})
    answers = ("unscaled-inputs",)
    risk = "low"
    probability = 0.8
    gain = 0.4
    goal = "Let all inputs begin with the same say, at a scale that the initial weights are made for"
    expected_impact = "Both losses fall much faster from the first epoch on"
    verification = "The training loss of the first three epochs is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        shape = input_shape(situation.snapshot)
        convolves = any(call.function.startswith("conv") for call in situation.snapshot.calls)
        is_signal = convolves or situation.finding("local-structure") is not None
        # The values of one signal share a unit, and so does an image's channel; columns of a table do not.
        kept = 1 if len(shape) > 2 and convolves else None
        if len(shape) == 2 and not (is_signal and shape[1] >= SHORTEST_SIGNAL):
            kept = 1
        size = [extent if axis == kept else 1 for axis, extent in enumerate(shape)][1:]
        per = "whole input" if kept is None else "feature" if len(shape) == 2 else "channel"
        return Binding({"size": [*size]}, f"inputs are standardized per {per}, inside the model", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        size = parameters["size"]
        assert isinstance(size, list)
        source = add_import(source, "torch")
        module = find_module(ParsedScript(source))
        axes = ", ".join(str(axis) for axis, extent in enumerate([1, *size]) if extent == 1)
        edits = filled_before_fit(
            module,
            "set_input_statistics",
            "Mean and standard deviation of the training inputs, in buffers that checkpoints keep.",
            (
                "inputs = torch.cat([inputs for inputs, _ in batches])",
                f"model.input_mean.copy_(inputs.mean(dim=[{axes}], keepdim=True)[0])",
                f"model.input_std.copy_(inputs.std(dim=[{axes}], keepdim=True)[0])",
                "model.input_std[model.input_std == 0] = 1.0",
            ),
        )
        extents = ", ".join(str(extent) for extent in size)
        held = [
            module.in_init(f'self.register_buffer("{name}", torch.{filled}({extents}))')
            for name, filled in (("input_mean", "zeros"), ("input_std", "ones"))
        ]
        return changed(source, rebuild(source, [*edits, *held, _standardized(module)]), self.name)


def _standardized(module: ModuleText) -> Edit:
    forward = module.method("forward")
    enters = any(ast.unparse(call.func) in ("self", "self.forward") for call in _calls(module.owner))
    if forward is None or not enters or len(forward.args.args) != 2:
        raise EditError(f"Line {module.owner.lineno}: expected forward(self, x), called as self(x). Write it so.")
    inputs = forward.args.args[1].arg
    return module.begin(forward, f"{inputs} = ({inputs} - self.input_mean) / self.input_std")


def _calls(owner: ast.ClassDef) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(owner) if isinstance(node, ast.Call))
