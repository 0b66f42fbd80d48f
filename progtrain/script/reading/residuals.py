"""Residual branches in a script's text: what a forward adds to its own input."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from progtrain.script.reading.structure import ParsedScript

_WEIGHTED: Final = re.compile(r"torch\.nn\.(Linear|Conv[123]d|BatchNorm[123]d|LayerNorm|GroupNorm)$")
#: Activations and dropout, modules and functions: the layer before them is the branch's last.
_HARMLESS: Final = re.compile(
    r"torch\.(nn\.(functional\.)?)?(\w*elu6?|\w*silu|\w*mish|tanh|sigmoid|hardswish|\w*dropout\w*|identity)$",
    re.IGNORECASE,
)
_SHORTCUT: Final = re.compile(r"skip|short_?cut|down_?sample|identity", re.IGNORECASE)


@dataclass(frozen=True)
class Branch:
    """What one forward adds to its input.

    Args:
        init: the `__init__` that makes its layers.
        last: expression of the last layer that has parameters: `self.bn2`, `self.block[3]`.
    """

    init: ast.FunctionDef
    last: str


@dataclass(frozen=True)
class _Step:
    """A name as it is bound at one line (0 for an argument), or at line -1 an attribute of self or a function."""

    name: str
    line: int = -1


def residual_branches(script: ParsedScript) -> tuple[Branch, ...]:
    """Every residual branch whose last layer is understood, in the order of the text."""
    owners = [node for node in ast.walk(script.tree) if isinstance(node, ast.ClassDef)]
    return tuple(dict.fromkeys(branch for owner in owners for branch in _Forward(script, owner).branches()))


class _Forward:
    """The forward of one class."""

    def __init__(self, script: ParsedScript, owner: ast.ClassDef) -> None:
        methods = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
        self._script = script
        self._init, self._forward = methods.get("__init__"), methods.get("forward")
        self._held = {
            node.targets[0].attr: node.value
            for node in (ast.walk(self._init) if self._init is not None else ())
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
        }

    def branches(self) -> Iterator[Branch]:
        if self._init is None or self._forward is None:
            return
        for node in ast.walk(self._forward):
            match node:
                case ast.BinOp(left=first, op=ast.Add(), right=second):
                    pass
                case ast.AugAssign(target=ast.Name() as first, op=ast.Add(), value=second):
                    pass
                case _:
                    continue
            last = self._last_added(first, second) or self._last_added(second, first)
            if last is not None:
                yield Branch(self._init, last)

    def _last_added(self, kept: ast.expr, added: ast.expr) -> str | None:
        """The last layer of `added`, if it is computed from `kept`."""
        path, head = list(self._path(added)), self._head(kept)
        layers = [step.name for step in path if step.line < 0]
        if head is None or head not in path or path[0] == head or not layers:
            return None
        return self._last_weighted(layers[0])

    def _head(self, kept: ast.expr) -> _Step | None:
        """The name that is kept, through other names for it and through shortcuts."""
        for step in self._path(kept):
            if step.line < 0 and not _SHORTCUT.search(step.name):
                return None
            if step.line >= 0 and not isinstance(self._value(step), ast.Name):
                return step
        return None

    def _path(self, value: ast.expr | None) -> Iterator[_Step]:
        """From a value back to what it is computed from, by first arguments."""
        match value:
            case ast.Name(id=name):
                step = _Step(name, self._bound_before(value))
                yield step
                yield from self._path(self._value(step))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name), args=[given, *_]):
                if not _HARMLESS.match(self._script.called(self._held.get(name, value))):
                    yield _Step(name)
                yield from self._path(given)
            case ast.Call(func=ast.Attribute(value=inner)) if not self._script.called(value).startswith("torch."):
                yield from self._path(inner)
            case ast.Call(args=[given, *_]):
                if not _HARMLESS.match(self._script.called(value)):
                    yield _Step(self._script.called(value))
                yield from self._path(given)

    def _bound_before(self, name: ast.Name) -> int:
        """Line of the last assignment to a name before the statement that reads it; 0 where it is an argument."""
        statement = self._script.within(name, ast.stmt)
        line = getattr(statement, "lineno", name.lineno)
        return max((bound.lineno for bound in self._assignments(name.id) if bound.lineno < line), default=0)

    def _value(self, step: _Step) -> ast.expr | None:
        return next((bound.value for bound in self._assignments(step.name) if bound.lineno == step.line), None)

    def _assignments(self, name: str) -> list[ast.Assign]:
        return [
            node
            for node in ast.walk(self._forward or ast.Module([], []))
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
        ]

    def _last_weighted(self, attribute: str) -> str | None:
        made = self._held.get(attribute)
        match made:
            case ast.Call() if _WEIGHTED.match(self._script.called(made)):
                return f"self.{attribute}"
            case ast.Call(args=[ast.Starred()]) if self._script.called(made) == "torch.nn.Sequential":
                return f"[layer for layer in self.{attribute} if list(layer.parameters())][-1]"
            case ast.Call(args=layers) if self._script.called(made) == "torch.nn.Sequential":
                names = [self._script.called(layer) for layer in layers]
                known = all(name.startswith("torch.nn.") for name in names)
                weighted = [index for index, name in enumerate(names) if _WEIGHTED.match(name)]
                return f"self.{attribute}[{weighted[-1]}]" if known and weighted else None
        return None
