"""What the actions that put another activation in ReLU's place have in common."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._named_relu import chosen_by_name, offered_by_name, rename
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_MODULES = frozenset({"torch.nn.ReLU"})
_FUNCTIONS = frozenset({"torch.nn.functional.relu", "torch.relu"})


class ReplaceReLU(StructuralAction):
    """Replace every ReLU, module and function.

    Attributes:
        module: full name of the class that replaces nn.ReLU.
        function: full name of the function that replaces F.relu.
    """

    family = "activation"
    touches = frozenset({"activation"})
    risk = "low"
    module: ClassVar[str]
    function: ClassVar[str]

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        source = situation.anatomy.source
        count = len(_rectifiers(ParsedScript(source), _MODULES | _FUNCTIONS)) + len(chosen_by_name(source))
        name = self.module.rpartition(".")[2]
        return Binding({}, f"{count} ReLU {'becomes' if count == 1 else 'become'} {name}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        named = rename(source, {"relu": self.function, "ReLU": self.module})
        if named == source and not _rectifiers(ParsedScript(source), _MODULES | _FUNCTIONS):
            found = "one that a name may choose, and none does" if offered_by_name(source) else "none"
            raise EditError(f"Expected nn.ReLU, F.relu or torch.relu, found {found}. Nothing to replace.")
        child = _replace(named, _MODULES, self.module)
        return changed(source, _replace(child, _FUNCTIONS, self.function), self.name)


def _replace(source: str, old: frozenset[str], new: str) -> str:
    if not _rectifiers(ParsedScript(source), old):
        return source
    source, name = reference(source, new)
    script = ParsedScript(source)
    edits: list[Edit] = []
    for node in _rectifiers(script, old):
        edits.append(script.replace(node, name))
        call = script.parent(node)
        if isinstance(call, ast.Call) and call.func is node:
            edits += _without_inplace(script, call, kept=1 if old is _FUNCTIONS else 0)
    return without_unused(rebuild(source, edits), *old)


def _without_inplace(script: ParsedScript, call: ast.Call, kept: int) -> tuple[Edit, ...]:
    """Take away what stands behind the first `kept` arguments: `inplace`, which the other activations have not."""
    if len(call.args) + len(call.keywords) <= kept:
        return ()
    start = script.end(call.args[kept - 1]) if kept else script.source.index("(", script.end(call.func)) + 1
    return (Edit(start, script.end(call) - 1, ""),)


def _rectifiers(script: ParsedScript, names: frozenset[str]) -> tuple[ast.expr, ...]:
    """What names a ReLU, apart from what a name chooses or may choose."""
    offered = offered_by_name(script.source)
    return tuple(
        node
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and script.dotted(node) in names
        and not any(start <= script.start(node) < end for start, end in offered)
    )
