"""Connections around hidden layers that are as wide as what they read (He et al., arXiv 1512.03385)."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference
from progtrain.script.reading.hidden import CalledLayer, HiddenLayer, ListedLayer, hidden_layers
from progtrain.script.reading.modules import ModuleDisplay
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_CLASS = "Residual"
_DEFINITION = '''\
class {name}({module}):
    """Adds what a block reads to what it answers."""

    def __init__(self, *layers):
        super().__init__()
        self.block = {sequential}(*layers)

    def forward(self, inputs):
        return inputs + self.block(inputs)


'''


class ResidualConnection(StructuralAction):
    """Add the input of every hidden Linear block of equal widths to its output."""

    family = "capacity"
    touches = frozenset({"computation"})
    answers = ("underfitting",)
    risk = "low"
    probability = 0.4
    gain = 0.06
    goal = "Let gradients reach the first layers past those between"
    expected_impact = "The training loss falls faster and ends lower"
    verification = "The training loss at the end is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        lines = ", ".join(str(hidden.layer.lineno) for hidden in _square(ParsedScript(situation.anatomy.source)))
        return Binding({}, f"a connection around the hidden layers of line {lines}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        listed = any(isinstance(hidden, ListedLayer) for hidden in _square(ParsedScript(source)))
        module = sequential = ""
        if listed:
            source, module = reference(source, "torch.nn.Module")
            source, sequential = reference(source, "torch.nn.Sequential")
        script = ParsedScript(source)
        square = _square(script)
        edits = [edit for hidden in square for edit in _around(hidden)]
        if listed:
            if script.defines(_CLASS):
                raise EditError(f"Expected the name {_CLASS} to be free, got one in use. Rename that one.")
            definition = _DEFINITION.format(name=_CLASS, module=module, sequential=sequential)
            edits.append(script.define_before(square[0].layer, definition))
        return changed(source, rebuild(source, edits), self.name)


def _square(script: ParsedScript) -> tuple[ListedLayer | CalledLayer, ...]:
    """The hidden Linear layers whose output is as wide as their input, as far as a connection can be written."""
    found = tuple(
        hidden
        for hidden in hidden_layers(script)
        if isinstance(hidden, ListedLayer | CalledLayer) and _is_square(hidden) and _has_place(hidden)
    )
    if not found:
        raise EditError("Expected a hidden Linear layer as wide as what it reads, found none. Nothing to go around.")
    return found


def _is_square(hidden: HiddenLayer) -> bool:
    sizes = hidden.input_size, hidden.output_size
    texts = [hidden.script.text(size) for size in sizes if size is not None]
    return hidden.kind == "Linear" and len(texts) == 2 and texts[0] == texts[1]


def _has_place(hidden: ListedLayer | CalledLayer) -> bool:
    script = hidden.script
    if isinstance(hidden, ListedLayer):
        return isinstance(hidden.modules, ModuleDisplay) and script.within(hidden.layer, ast.For) is None
    match script.parent(hidden.activation), hidden.activation, hidden.call.args:
        case ast.Assign() | ast.Return(), ast.Call(args=[inner, *_]), [ast.Name()]:
            return inner is hidden.call
    return False


def _around(hidden: ListedLayer | CalledLayer) -> tuple[Edit, ...]:
    script = hidden.script
    if isinstance(hidden, CalledLayer):
        start = script.start(hidden.activation)
        return (Edit(start, start, f"{script.text(hidden.call.args[0])} + "),)
    start, end = script.start(hidden.layer), script.end(hidden.activation)
    if not script.begins_line(hidden.layer):
        return Edit(start, start, f"{_CLASS}("), Edit(end, end, ")")
    indent = script.indentation(start)
    lines = [start + line.end() for line in re.finditer(r"\n(?=.)", script.source[start:end])]
    return (
        Edit(start, start, f"{_CLASS}(\n{indent}    "),
        *(Edit(line, line, "    ") for line in lines),
        Edit(end, end, f",\n{indent})"),
    )
