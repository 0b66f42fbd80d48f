"""A logger or callback that a patch makes: written in its place, or under a name of its own where that is long."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from progtrain.script.reading.structure import Edit, ParsedScript

_WIDTH: Final = 120
_IN_PLACE: Final = 96
"""Others may have to stand on the same line."""


@dataclass(frozen=True)
class Construction:
    """`callee(arguments)`, and a name for it.

    Args:
        name: of a variable, if it gets one.
        callee: the class, as the script writes it.
        arguments: each as it is written.
    """

    name: str
    callee: str
    arguments: tuple[str, ...]

    @property
    def text(self) -> str:
        """On one line."""
        return f"{self.callee}({', '.join(self.arguments)})"

    def assigned(self, name: str, indentation: str, *, one_a_line: bool = False) -> str:
        """`name = callee(arguments)`, on several lines where one is too long."""
        line = f"{name} = {self.text}"
        if not one_a_line and len(indentation + line) <= _WIDTH:
            return line
        inner = f"\n{indentation}    "
        if one_a_line:
            return f"{name} = {self.callee}({inner}{f',{inner}'.join(self.arguments)},\n{indentation})"
        return f"{name} = {self.callee}({inner}{', '.join(self.arguments)}\n{indentation})"


def free_name(script: ParsedScript, name: str) -> str | None:
    """`best`, else `best_checkpoint`: a name that the script does not use; None where it uses both."""
    names = (name, "csv_logger" if name == "logger" else f"{name}_checkpoint")
    return next((each for each in names if not script.defines(each)), None)


def placed(
    script: ParsedScript, node: ast.expr, made: Sequence[Construction], *, own_line: bool = False
) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """How constructions are written at a node.

    Args:
        script: the script.
        node: the expression that they are put into.
        made: the constructions.
        own_line: whether they get a line of their own there.

    Returns:
        Edits that assign them before the node's statement, and what to write at the node; no edits where they stand
        on a line of their own there or are short enough.
    """
    texts = tuple(each.text for each in made)
    names = [free_name(script, each.name) for each in made]
    statement = _statement(script, node)
    fits = _width(script, node, own_line) + len(", ".join(texts)) <= _IN_PLACE
    if fits or None in names or not script.begins_line(statement):
        return (), texts
    start = script.start(statement)
    indentation = script.indentation(start)
    lines = [each.assigned(str(name), indentation) for each, name in zip(made, names, strict=True)]
    edit = Edit(start, start, "".join(f"{line}\n{indentation}" for line in lines))
    return (edit,), tuple(str(name) for name in names)


def _width(script: ParsedScript, node: ast.expr, own_line: bool) -> int:
    """How long the line is that something is added to."""
    end = script.end(node)
    begin = script.source.rfind("\n", 0, end) + 1
    return len(script.indentation(end)) if own_line else script.line_end(end) - begin


def _statement(script: ParsedScript, node: ast.AST) -> ast.stmt:
    around = node
    while not isinstance(around, ast.stmt):
        parent = script.parent(around)
        assert parent is not None
        around = parent
    return around
