"""A small convolutional stem before the first dense layer, for inputs whose neighbours belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.actions.batch_normalization import usable_batches
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.edit import reference
from progtrain.script.hidden import CalledLayer, HiddenLayer, ListedLayer, hidden_layers
from progtrain.script.modules import ModuleDisplay
from progtrain.script.structure import Edit, ParsedScript, rebuild

CHANNELS: Final = (32, 64, 64)
KERNEL: Final = 5
#: Shorter signals have too few neighbours to gain from convolutions.
SHORTEST: Final = 16


class ConvolutionalStem(StructuralAction):
    """Read a flat signal [batch, length] by strided convolutions, and let the first Linear read what they found."""

    family = "capacity"
    touches = frozenset({"layers", "width", "computation", "normalization", "activation"})
    answers = ("local-structure",)
    risk = "medium"
    probability = 0.6
    gain = 0.5
    goal = "Recognize a local pattern wherever it stands, instead of learning it anew at every position"
    expected_impact = "Both losses end far lower, and the gap between them narrows"
    verification = "The validation metric at the best epoch is above the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        length = _signal_length(situation.snapshot)
        _require_made_once(situation)
        try:
            usable_batches(situation)
            normalized = "normalization" not in situation.locks
        except EditError:
            normalized = False
        touches = self.touches if normalized else self.touches - {"normalization"}
        change = f"{len(CHANNELS)} convolutions of {', '.join(map(str, CHANNELS))} channels before the first Linear"
        return Binding({"length": length, "normalized": normalized}, change, touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        length, normalized = parameters["length"], bool(parameters["normalized"])
        assert isinstance(length, int)
        listed = isinstance(_first_linear(ParsedScript(source)), ListedLayer)
        unused = {"Sequential" if listed else "", "" if normalized else "BatchNorm1d"}
        names: dict[str, str] = {}
        for module in ("Unflatten", "Conv1d", "BatchNorm1d", "ReLU", "Flatten", "Sequential"):
            if module not in unused:
                source, names[module] = reference(source, f"torch.nn.{module}")
        first = _first_linear(ParsedScript(source))
        if any("Conv" in first.script.called(call) for call in first.script.calls()):
            raise EditError("Expected a model without convolutions, found one. Change its layers instead.")
        modules, features = _stem(names, length)
        size = first.input_size
        if size is None:
            raise EditError(f"Line {first.layer.lineno}: expected the layer's input size. Write it.")
        edits = (*_put_before(first, modules, names), first.script.replace(size, str(features)))
        return changed(source, rebuild(source, edits), self.name)


def _signal_length(snapshot: Snapshot) -> int:
    """Length of the signal that the first layer reads whole."""
    first = next((layer for layer in snapshot.layers if layer.parameters), None)
    call = next((call for call in snapshot.calls if call.function == "linear"), None)
    if first is None or first.type != "Linear" or call is None or len(call.shapes[0]) != 2:
        raise EditError("the first layer is not a Linear that reads [batch, length]")
    length = call.shapes[0][1]
    if length < SHORTEST:
        raise EditError(f"the signal has {length} values, fewer than {SHORTEST}")
    return length


def _require_made_once(situation: Situation) -> None:
    """A stem written into a loop, or into a block that is used again, would stand before other layers too."""
    script = ParsedScript(situation.anatomy.source)
    places = sum(script.called(call) == "torch.nn.Linear" for call in script.calls())
    made = sum(layer.type == "Linear" for layer in situation.snapshot.layers)
    if made > places:
        raise EditError(f"{made} Linear layers are made in {places} places; the first must be made in one of its own")


def _first_linear(script: ParsedScript) -> HiddenLayer:
    first = hidden_layers(script)[0]
    if first.kind != "Linear":
        raise EditError(f"Line {first.layer.lineno}: expected the first hidden layer to be Linear, got {first.kind}.")
    return first


def _stem(names: Mapping[str, str], length: int) -> tuple[tuple[str, ...], int]:
    """The stem's modules, and how many features they make of a signal of `length`."""
    modules = [f"{names['Unflatten']}(1, (1, {length}))"]
    for index, (read, made) in enumerate(zip((1, *CHANNELS), CHANNELS, strict=False)):
        stride = 1 if index == 0 else 2
        settings = f"kernel_size={KERNEL}, padding={KERNEL // 2}" + (f", stride={stride}" if stride > 1 else "")
        modules.append(f"{names['Conv1d']}({read}, {made}, {settings})")
        if "BatchNorm1d" in names:
            modules.append(f"{names['BatchNorm1d']}({made})")
        modules.append(f"{names['ReLU']}()")
        length = (length - 1) // stride + 1
    return (*modules, f"{names['Flatten']}()"), CHANNELS[-1] * length


def _put_before(first: HiddenLayer, modules: tuple[str, ...], names: Mapping[str, str]) -> tuple[Edit, ...]:
    match first:
        case ListedLayer(modules=ModuleDisplay() as display, layer_index=0):
            return display.insert_first(modules)
        case CalledLayer(taken=taken) if "stem" not in taken:
            lines = "".join(f"\n    {module}," for module in modules)
            indent = first.script.indentation(first.script.start(first.statement))
            stem = f"self.stem = {names['Sequential']}({lines}\n)\n".replace("\n", f"\n{indent}")
            start = first.script.start(first.statement)
            given = first.call.args[0]
            return Edit(start, start, stem), *first.script.wrap(given, "self.stem")
    raise EditError(f"Line {first.layer.lineno}: expected the first Linear first in nn.Sequential, or as an attribute.")
