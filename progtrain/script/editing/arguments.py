"""Passing one more keyword argument in a call, in the call's own layout."""

from __future__ import annotations

import ast
import re

from progtrain.errors import EditError
from progtrain.script.reading.index import Index
from progtrain.script.reading.structure import Edit

_COMMENT = re.compile(r"#[^\r\n]*")


def add_keyword(index: Index, call: ast.Call, argument: str) -> list[Edit]:
    """The edits that pass `argument` ("momentum=0.9") as a call's last one.

    Args:
        index: of the script.
        call: of the script.
        argument: as it is to be written.

    Raises:
        EditError: the call gives it already, or has `*` or `**` arguments, which may hold it.
    """
    name, _, _ = argument.partition("=")
    if any(keyword.arg == name for keyword in call.keywords):
        raise EditError(
            f"Line {call.lineno}: expected {name} as a value that can be followed to where it is written, "
            f"got one that is made as the script runs. Write {argument} there."
        )
    if any(keyword.arg is None for keyword in call.keywords) or any(isinstance(x, ast.Starred) for x in call.args):
        raise EditError(
            f"Line {call.lineno}: expected a call with its arguments spelled out, got * or **. "
            f"Add {argument} to what is spread there."
        )
    close = index.span(call)[1] - 1
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if not given:
        return [Edit(close, close, argument)]
    last = max(given, key=index.span)
    start, end = index.span(last)
    tail = _COMMENT.sub(lambda comment: " " * len(comment.group()), index.source[end:close])
    end += tail.rfind(")") + 1  # of parentheses around the last argument
    comma = index.source[:close].find(",", end) + 1 if "," in tail else None
    indent, before = index.before_on_line(start)
    line_end = index.line_end(last.end_lineno or last.lineno)
    if before or line_end > close:
        return [Edit(end, end, f", {argument}")] if comma is None else [Edit(comma, comma, f" {argument},")]
    if comma is None:
        return [Edit(end, end, ","), Edit(line_end, line_end, f"\n{indent}{argument}")]
    return [Edit(line_end, line_end, f"\n{indent}{argument},")]
