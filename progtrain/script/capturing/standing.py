"""Where in a script a call stands: on which of its lines, and whether the script may come to such a call again."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Final

_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Standing:
    """A call that a script makes.

    Attributes:
        lines: of the script and of the modules beside it, from the innermost to the outermost.
        in_loop: whether one of them stands in a loop, or is called back by a library, which may do so again.
        again: whether there may be another such call: in a loop, at another place, or by another way to this one.
    """

    lines: tuple[int, ...]
    in_loop: bool
    again: bool

    @property
    def line(self) -> int:
        """The innermost."""
        return self.lines[0] if self.lines else 0


def standing_of_call(file: str, method: str) -> Standing:
    """Where the script that runs in `file` stands now, on its way to a method.

    Args:
        file: the script's absolute path.
        method: its name.
    """
    frames = list(_frames())
    own = [position for position, frame in enumerate(frames) if _is_own(frame, file)]
    if not own:
        return Standing((), in_loop=False, again=False)
    stack = [frames[position] for position in own]
    trees = {name: _tree(name) for name in {frame.f_code.co_filename for frame in stack}}
    between = frames[own[0] : own[-1]]
    called_back = any(not _is_own(frame, file) and not _is_import(frame) for frame in between)
    looped = called_back or any(_in_loop(trees[frame.f_code.co_filename], frame.f_lineno) for frame in stack)
    names = {frame.f_code.co_name for frame in stack if not frame.f_code.co_name.startswith("<")}
    mentioned = [name for tree in trees.values() for name in _mentions(tree)]
    again = looped or mentioned.count(method) > 1 or any(mentioned.count(name) > 1 for name in names)
    return Standing(tuple(frame.f_lineno for frame in stack), looped, again)


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


def _in_loop(tree: ast.AST, line: int) -> bool:
    """Whether a loop is around a line, within the function that the line belongs to."""
    looped = False
    for node in _around(tree, line):
        if isinstance(node, _FUNCTIONS):
            looped = False
        looped = looped or isinstance(node, _LOOPS)
    return looped


def _around(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """The nodes that a line is part of, from the outermost in."""
    for child in ast.iter_child_nodes(node):
        first, last = getattr(child, "lineno", None), getattr(child, "end_lineno", None)
        if first is not None and last is not None and not first <= line <= last:
            continue
        if first is not None:
            yield child
        yield from _around(child, line)


def _mentions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
