"""The parts of a script's text that structural actions work on, and edits of exactly those places."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from progtrain.errors import EditError
from progtrain.script.reading.syntax import parse


@dataclass(frozen=True)
class Edit:
    """Put `text` where the characters from `start` up to `end` are."""

    start: int
    end: int
    text: str


def rebuild(source: str, edits: Iterable[Edit]) -> str:
    """`source` with all edits made; every character outside them stays, and new lines end as the file's lines do.

    Args:
        source: the text that the offsets are of.
        edits: none overlapping another; insertions at one offset are made in the order given.
    """
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        text = edit.text.replace("\n", "\r\n") if "\r\n" in source else edit.text
        pieces += [source[position : edit.start], text]
        position = edit.end
    return "".join([*pieces, source[position:]])


class ParsedScript:
    """A script's syntax tree, the text behind each of its nodes, and the full names behind its imports.

    Args:
        source: the script.

    Raises:
        EditError: the source is not Python.
    """

    def __init__(self, source: str) -> None:
        try:
            self.tree = parse(source)
        except SyntaxError as error:
            raise EditError(f"Line {error.lineno} is not Python: {error.msg}. Mend the script first.") from error
        self.source = source
        self._lines = source.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._imported = dict(_imported_names(self.tree))
        self._parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Offset of the node's first character."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Offset just behind the node's last character."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        # ast counts columns in UTF-8 bytes.
        text = self._lines[line - 1]
        return self._starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The node as it is written."""
        return self.source[self.start(node) : self.end(node)]

    def line_end(self, offset: int) -> int:
        """Offset of the end of the line that `offset` is on, before its newline."""
        newline = self.source.find("\n", offset)
        end = len(self.source) if newline < 0 else newline
        return end - 1 if self.source[end - 1 : end] == "\r" else end

    def indentation(self, offset: int) -> str:
        """The white space that the line of `offset` begins with."""
        line = self.source[self.source.rfind("\n", 0, offset) + 1 :]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def begins_line(self, node: ast.expr | ast.stmt) -> bool:
        """Whether nothing but white space stands before the node on its line."""
        start = self.start(node)
        return not self.source[self.source.rfind("\n", 0, start) + 1 : start].strip()

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that `node` is a direct part of."""
        return self._parents.get(node)

    def within(self, node: ast.AST, kind: type[ast.AST]) -> ast.AST | None:
        """The innermost node of `kind` around `node`."""
        around = self._parents.get(node)
        while around is not None and not isinstance(around, kind):
            around = self._parents.get(around)
        return around

    def dotted(self, node: ast.AST) -> str:
        """The full name that `node` stands for, its imports followed ("torch.nn.ReLU"); "" where it is no name."""
        match node:
            case ast.Name(id=name):
                return self._imported.get(name, name)
            case ast.Attribute(value=value, attr=attribute):
                inner = self.dotted(value)
                return f"{inner}.{attribute}" if inner else ""
        return ""

    def called(self, node: ast.AST) -> str:
        """The full name of what `node` calls; "" where it is no call."""
        return self.dotted(node.func) if isinstance(node, ast.Call) else ""

    def calls(self) -> tuple[ast.Call, ...]:
        """Every call of the script."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def replace(self, node: ast.expr | ast.stmt, text: str) -> Edit:
        """The edit that writes `text` in the node's place."""
        return Edit(self.start(node), self.end(node), text)

    def wrap(self, node: ast.expr, function: str) -> tuple[Edit, Edit]:
        """The edits that make `node` the argument of a call of `function`."""
        start, end = self.start(node), self.end(node)
        return Edit(start, start, f"{function}("), Edit(end, end, ")")

    def expect_own_line(self, node: ast.expr | ast.stmt) -> None:
        """Check that a line can be put behind or before the node.

        Raises:
            EditError: something stands before the node on its line, as in `def forward(self, x): return x`.
        """
        if not self.begins_line(node):
            raise EditError(f"Line {node.lineno}: expected a statement on a line of its own. Write it so.")

    def new_line_after(self, node: ast.expr | ast.stmt, text: str) -> Edit:
        """The edit that puts `text` on a line of its own behind the node's last line, indented as its first.

        Raises:
            EditError: something stands before the node on its line.
        """
        self.expect_own_line(node)
        end = self.line_end(self.end(node))
        return Edit(end, end, f"\n{self.indentation(self.start(node))}{text}")

    def defines(self, name: str) -> bool:
        """Whether the script binds the name by a class, a function, an import or an assignment, anywhere."""
        return name in self._imported or any(
            name in (getattr(node, "name", ""), getattr(node, "id", "")) for node in ast.walk(self.tree)
        )

    def define_before(self, node: ast.expr, definition: str) -> Edit:
        """The edit that puts a definition before the statement of the module that `node` is part of."""
        statement: ast.AST = node
        while not isinstance(around := self._parents[statement], ast.Module):
            statement = around
        assert isinstance(statement, ast.stmt)
        decorators = getattr(statement, "decorator_list", [])
        line = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        while line > 0 and self._lines[line - 1].startswith("#"):
            line -= 1
        return Edit(self._starts[line], self._starts[line], definition)


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """The argument given at `position` or as `keyword`; None where it is not given or hidden in a star."""
    positional = call.args[: position + 1]
    if len(positional) == position + 1 and not any(isinstance(given, ast.Starred) for given in positional):
        return positional[position]
    return next((given.value for given in call.keywords if given.arg == keyword), None)


def _imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    # `import torch.nn` binds `torch`, `import torch.nn as nn` binds `nn`.
                    yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
            case ast.ImportFrom(names=names, module=str(module), level=0):
                for alias in names:
                    yield alias.asname or alias.name, f"{module}.{alias.name}"
