"""Where in a script a call stands: on which of its lines, and whether the script may come to such a call again."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Final

_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Standing:
    """A call that a script makes.

    Attributes:
        lines: of the script and of the modules beside it, from the innermost to the outermost.
        loops: around them, each with its file, its first and its last line.
        again: whether there may be another such call: in a loop, at another place, or by another way to this one.
    """

    lines: tuple[int, ...]
    loops: tuple[tuple[str, int, int], ...]
    again: bool

    @property
    def line(self) -> int:
        """The innermost."""
        return self.lines[0] if self.lines else 0

    def is_still_looping(self, trace: TracebackType | None) -> bool:
        """Whether an error came from within one of the loops."""
        raised = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
        return any(name == file and first <= line <= last for name, line in raised for file, first, last in self.loops)


def standing_of_call(file: str, method: str) -> Standing:
    """Where the script that runs in `file` stands now, on its way to a method.

    Args:
        file: the script's absolute path.
        method: its name.
    """
    frames = list(_frames())
    own = [position for position, frame in enumerate(frames) if _is_own(frame, file)]
    if not own:
        return Standing((), (), again=False)
    stack = [frames[position] for position in own]
    trees = {name: _tree(name) for name in {frame.f_code.co_filename for frame in stack}}
    between = frames[own[0] : own[-1]]
    called_back = any(not _is_own(frame, file) and not _is_import(frame) for frame in between)
    loops = [loop for frame in stack for loop in _loops(trees[frame.f_code.co_filename], frame)]
    names = {frame.f_code.co_name for frame in stack if not frame.f_code.co_name.startswith("<")}
    mentioned = [name for tree in trees.values() for name in _mentions(tree)]
    handed_on = names.intersection(name for tree in trees.values() for name in _handed_on(tree))
    again = called_back or loops or handed_on or mentioned.count(method) > 1
    again = again or any(mentioned.count(name) > 1 for name in names)
    return Standing(tuple(frame.f_lineno for frame in stack), tuple(loops), bool(again))


def script_line(file: str, frame: FrameType | None = None) -> int:
    """The innermost line of a script that is being run; 0 where none is.

    Args:
        file: the script's absolute path.
        frame: to begin from; the caller's where None.
    """
    frames = _frames() if frame is None else _outwards(frame)
    return next((each.f_lineno for each in frames if each.f_code.co_filename == file), 0)


def _frames() -> Iterator[FrameType]:
    return _outwards(sys._getframe(1))


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_own(frame: FrameType, file: str) -> bool:
    name = frame.f_code.co_filename
    return name == file or (name.startswith(os.path.dirname(file) + os.sep) and "site-packages" not in name)


def _is_import(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<frozen importlib")


def _tree(file: str) -> ast.Module:
    try:
        with open(file, "rb") as source:
            return ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])  # what is not on disk cannot be read; its lines tell nothing then


def _loops(tree: ast.AST, frame: FrameType) -> Iterator[tuple[str, int, int]]:
    """The loops around a frame's line, within the function that the line belongs to."""
    around = list(_around(tree, frame.f_lineno))
    function = max((at for at, node in enumerate(around) if isinstance(node, _FUNCTIONS)), default=-1)
    for node in around[function + 1 :]:
        if isinstance(node, _LOOPS):
            yield frame.f_code.co_filename, node.lineno, node.end_lineno or node.lineno


def _around(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """The nodes that a line is part of, from the outermost in."""
    for child in ast.iter_child_nodes(node):
        first, last = getattr(child, "lineno", None), getattr(child, "end_lineno", None)
        if first is not None and last is not None and not first <= line <= last:
            continue
        if first is not None:
            yield child
        yield from _around(child, line)


def _handed_on(tree: ast.AST) -> Iterator[str]:
    """Names that are arguments of calls, as in `map(train, folds)`; such a function is called any number of times."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            yield from (each.id for each in given if isinstance(each, ast.Name))


def _mentions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
