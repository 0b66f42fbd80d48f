"""Syntax trees of scripts, made while other threads make trees too."""

from __future__ import annotations

import ast
from typing import Final

_TRIES: Final = 100


def parse(source: str | bytes) -> ast.Module:
    """The syntax tree of a script.

    Before 3.11.8 and 3.12.2 CPython counts the depth of all threads' trees in one place, and raises SystemError where
    the garbage collector lets another thread make one in between (python/cpython, gh-106905). The tracking thread makes
    trees too: what it disturbed is made again.

    Args:
        source: the script.

    Raises:
        SyntaxError: it is not Python.
    """
    for _ in range(_TRIES):
        try:
            return ast.parse(source)
        except SystemError as error:
            disturbed = error
    raise disturbed
