"""A small convolutional stem before the first dense layer, for signals and images whose neighbours belong together."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        read = _what_is_read(situation)
        _require_made_once(situation)
        try:
            usable_batches(situation)
            normalized = "normalization" not in situation.locks
        except EditError:
            normalized = False
        touches = self.touches if normalized else self.touches - {"normalization"}
        sides = " by ".join(map(str, read.extents))
        what = "the signal" if len(read.extents) == 1 else f"images of {sides}"
        channels = ", ".join(map(str, CHANNELS))
        change = f"{len(CHANNELS)} convolutions of {channels} channels read {what} before the first Linear"
        parameters: dict[str, JsonValue] = {"shape": [*read.extents], "normalized": normalized}
        if read != Read(read.extents):
            parameters |= {"channels": read.channels, "opened": None if read.opened is None else [*read.opened]}
        return Binding(parameters, change, touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        normalized, read = bool(parameters["normalized"]), _read(parameters)
        first = _first_linear(ParsedScript(source))
        unused = {"Sequential" if isinstance(first, ListedLayer) else "", "" if normalized else "BatchNorm"}
        unused |= {"Flatten" if _lies_behind_flatten(first) else "", "Unflatten" if read.opened is None else ""}
        names: dict[str, str] = {}
        for module in ("Unflatten", "Conv", "BatchNorm", "ReLU", "Flatten", "Sequential"):
            if module not in unused:
                dimensions = f"{len(read.extents)}d" if module in ("Conv", "BatchNorm") else ""
                source, names[module] = reference(source, f"torch.nn.{module}{dimensions}")
        first = _first_linear(ParsedScript(source))
        if any("Conv" in first.script.called(call) for call in first.script.calls()):
            raise EditError("Expected a model without convolutions, found one. Change its layers instead.")
        modules, features = _stem(names, read)
        size = first.input_size
        if size is None:
            raise EditError(f"Line {first.layer.lineno}: expected the layer's input size. Write it.")
        edits = (*_put_before(first, modules, names), first.script.replace(size, str(features)))
        return changed(source, rebuild(source, edits), self.name)


@dataclass(frozen=True)
class Read:
    """What the stem reads.

    Args:
        extents: of one sample, channels apart: a signal's length, or an image's sides.
        channels: of it.
        opened: the extents that its second axis is unflattened to; None where a sample comes with all of its axes.
    """

    extents: tuple[int, ...]
    channels: int = 1
    opened: tuple[int, ...] | None = ()


def _read(parameters: Mapping[str, JsonValue]) -> Read:
    shape, opened = parameters["shape"], parameters.get("opened", [])
    channels = parameters.get("channels", 1)
    assert isinstance(shape, list)
    assert isinstance(channels, int)
    extents = tuple(extent for extent in shape if isinstance(extent, int))
    if not isinstance(opened, list):
        return Read(extents, channels, None)
    return Read(
        extents, channels, tuple(extent for extent in opened if isinstance(extent, int)) or (channels, *extents)
    )


def _what_is_read(situation: Situation) -> Read:
    """What the first layer reads: flat, or behind an nn.Flatten of the axes that it had."""
    length = _signal_length(situation.snapshot)
    first = _first_linear(ParsedScript(situation.anatomy.source))
    laid = _before_flattening(situation.snapshot)
    if not _lies_behind_flatten(first) or prod(laid) != length or len(laid) == 1:
        return Read(_shape(situation, length))
    if len(laid) == 2 and laid[0] == laid[1]:
        return Read(laid, 1, (1, laid[0]))
    if len(laid) - 1 not in KERNELS:
        raise EditError(f"a sample has {len(laid)} axes, for which there is no stem")
    return Read(laid[1:], laid[0], None)


def _before_flattening(snapshot: Snapshot) -> tuple[int, ...]:
    """Extents of a sample where the first call lays it flat."""
    call = next((call for call in snapshot.calls if call.function in ("flatten", "linear")), None)
    return call.shapes[0][1:] if call is not None and call.shapes else ()


def _shape(situation: Situation, length: int) -> tuple[int, ...]:
    """Of what the first layer reads flat: the sides of an image where one was found, else a signal's length."""
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


def _stem(names: Mapping[str, str], read: Read) -> tuple[tuple[str, ...], int]:
    """The stem's modules, and how many features they make of what they read."""
    extents: Sequence[int] = read.extents
    kernel = KERNELS[len(extents)]
    modules = [] if read.opened is None else [f"{names['Unflatten']}(1, ({', '.join(map(str, read.opened))}))"]
    for index, (taken, made) in enumerate(zip((read.channels, *CHANNELS), CHANNELS, strict=False)):
        stride = 1 if index == 0 else 2
        settings = f"kernel_size={kernel}, padding={kernel // 2}" + (f", stride={stride}" if stride > 1 else "")
        modules.append(f"{names['Conv']}({taken}, {made}, {settings})")
        if "BatchNorm" in names:
            modules.append(f"{names['BatchNorm']}({made})")
        modules.append(f"{names['ReLU']}()")
        extents = [(extent - 1) // stride + 1 for extent in extents]
    flattened = [f"{names['Flatten']}()"] if "Flatten" in names else []
    return (*modules, *flattened), CHANNELS[-1] * prod(extents)


def _lies_behind_flatten(first: HiddenLayer) -> bool:
    """Whether nothing stands before a listed layer but an nn.Flatten() that lays all but the batch flat."""
    if not isinstance(first, ListedLayer) or not isinstance(first.modules, ModuleDisplay) or first.layer_index != 1:
        return False
    flatten = first.modules.elements[0]
    bare = isinstance(flatten, ast.Call) and not (flatten.args or flatten.keywords)
    return bare and first.script.called(flatten) == "torch.nn.Flatten"


def _put_before(first: HiddenLayer, modules: tuple[str, ...], names: Mapping[str, str]) -> tuple[Edit, ...]:
    match first:
        case ListedLayer(modules=ModuleDisplay() as display, layer_index=index) if not index or _lies_behind_flatten(
            first
        ):
            return display.insert_first(modules)
        case CalledLayer(taken=taken) if "stem" not in taken:
            lines = "".join(f"\n    {module}," for module in modules)
            indent = first.script.indentation(first.script.start(first.statement))
            stem = f"self.stem = {names['Sequential']}({lines}\n)\n".replace("\n", f"\n{indent}")
            start = first.script.start(first.statement)
            given = first.call.args[0]
            return Edit(start, start, stem), *first.script.wrap(given, "self.stem")
    raise EditError(f"Line {first.layer.lineno}: expected the first Linear first in nn.Sequential, or as an attribute.")
