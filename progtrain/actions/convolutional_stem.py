"""A small convolutional stem before the first dense layer, for signals and images whose neighbours belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Final

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.actions.batch_normalization import usable_batches
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.editing.edit import reference
from progtrain.script.reading.hidden import CalledLayer, HiddenLayer, ListedLayer, hidden_layers
from progtrain.script.reading.modules import ModuleDisplay
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

CHANNELS: Final = (32, 64, 64)
#: Dimensions -> extent of a kernel along each.
KERNELS: Final = {1: 5, 2: 3}
#: Shorter signals have too few neighbours to gain from convolutions.
SHORTEST: Final = 16


class ConvolutionalStem(StructuralAction):
    """Read a flat signal or image [batch, length] by strided convolutions; the first Linear reads what they found."""

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
        shape = _shape(situation)
        _require_made_once(situation)
        try:
            usable_batches(situation)
            normalized = "normalization" not in situation.locks
        except EditError:
            normalized = False
        touches = self.touches if normalized else self.touches - {"normalization"}
        read = "the signal" if len(shape) == 1 else f"images of {shape[0]} by {shape[1]}"
        channels = ", ".join(map(str, CHANNELS))
        change = f"{len(CHANNELS)} convolutions of {channels} channels read {read} before the first Linear"
        return Binding({"shape": [*shape], "normalized": normalized}, change, touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        shape, normalized = parameters["shape"], bool(parameters["normalized"])
        assert isinstance(shape, list)
        extents = [extent for extent in shape if isinstance(extent, int)]
        listed = isinstance(_first_linear(ParsedScript(source)), ListedLayer)
        unused = {"Sequential" if listed else "", "" if normalized else "BatchNorm"}
        names: dict[str, str] = {}
        for module in ("Unflatten", "Conv", "BatchNorm", "ReLU", "Flatten", "Sequential"):
            if module not in unused:
                dimensions = f"{len(extents)}d" if module in ("Conv", "BatchNorm") else ""
                source, names[module] = reference(source, f"torch.nn.{module}{dimensions}")
        first = _first_linear(ParsedScript(source))
        if any("Conv" in first.script.called(call) for call in first.script.calls()):
            raise EditError("Expected a model without convolutions, found one. Change its layers instead.")
        modules, features = _stem(names, extents)
        size = first.input_size
        if size is None:
            raise EditError(f"Line {first.layer.lineno}: expected the layer's input size. Write it.")
        edits = (*_put_before(first, modules, names), first.script.replace(size, str(features)))
        return changed(source, rebuild(source, edits), self.name)


def _shape(situation: Situation) -> tuple[int, ...]:
    """Of what the first layer reads flat: the sides of an image where one was found, else a signal's length."""
    length = _signal_length(situation.snapshot)
    finding = situation.finding("local-structure")
    side = 0 if finding is None else int(finding.numbers.get("side", 0))
    return (side, side) if side and side * side == length else (length,)


def _signal_length(snapshot: Snapshot) -> int:
    """How many values the first layer reads at once."""
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


def _stem(names: Mapping[str, str], extents: Sequence[int]) -> tuple[tuple[str, ...], int]:
    """The stem's modules, and how many features they make of a signal or an image of these extents."""
    kernel = KERNELS[len(extents)]
    modules = [f"{names['Unflatten']}(1, (1, {', '.join(map(str, extents))}))"]
    for index, (read, made) in enumerate(zip((1, *CHANNELS), CHANNELS, strict=False)):
        stride = 1 if index == 0 else 2
        settings = f"kernel_size={kernel}, padding={kernel // 2}" + (f", stride={stride}" if stride > 1 else "")
        modules.append(f"{names['Conv']}({read}, {made}, {settings})")
        if "BatchNorm" in names:
            modules.append(f"{names['BatchNorm']}({made})")
        modules.append(f"{names['ReLU']}()")
        extents = [(extent - 1) // stride + 1 for extent in extents]
    return (*modules, f"{names['Flatten']}()"), CHANNELS[-1] * prod(extents)


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
