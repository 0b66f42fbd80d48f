"""What makes a script a version: its header, its constants, and how to take its one change back."""

from __future__ import annotations

import ast
import difflib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from progtrain.errors import EditError
from progtrain.script.editing.edit import written
from progtrain.script.reading.index import Index
from progtrain.script.reading.structure import Edit, rebuild

_WIDTH: Final = 100
_END: Final = "# --- end of header ---"
_HEADER: Final = re.compile(r"# --- progtrain: version [^\r\n]*(?:\r?\n#[^\r\n]*)*?\r?\n# --- end of header ---\r?\n")
_BEFORE_HEADER: Final = re.compile(r"\ufeff?(?:#![^\r\n]*\r?\n)?(?:#[^\r\n]*coding[:=][^\r\n]*\r?\n)?")
_VERSION: Final = "VERSION"

#: One replaced stretch of lines: index of the first, the lines there, the lines to put there.
_Patch = TypeAdapter(list[tuple[int, list[str], list[str]]])


@dataclass(frozen=True)
class Header:
    """The change summary that a version carries at its top.

    Args:
        version: this one.
        parent: the one it was made from.
        action: the catalogue's name of the change.
        goal: what it is for.
        change: what was changed.
        expected: the effect that is expected.
    """

    version: str
    parent: str
    action: str
    goal: str
    change: str
    expected: str


def body(source: str) -> str:
    """A script without progtrain's header: what `with_header` was given, byte for byte."""
    start = _header_place(source)
    header = _HEADER.match(source, start)
    return source if header is None else source[:start] + source[header.end() :]


def with_header(body: str, header: Header) -> str:
    """The script with a header before everything but its shebang and encoding lines.

    Args:
        body: a script without one.
        header: what to say in it.
    """
    lines = [f"# --- progtrain: version {header.version}{_after(header)}, made from {header.parent} ---"]
    for label, text in (
        ("Action", header.action),
        ("Goal", header.goal),
        ("Change", header.change),
        ("Expected effect", header.expected),
    ):
        wrapped = textwrap.wrap(f"{label}: {text}", _WIDTH, subsequent_indent="    ")
        lines += [f"# {line}" for line in wrapped]
    newline = "\r\n" if "\r\n" in body else "\n"
    start = _header_place(body)
    return body[:start] + "".join(line + newline for line in [*lines, _END]) + body[start:]


def _after(header: Header) -> str:
    """The version before this one, where it was made from another."""
    number = int(header.version.removeprefix("v")) - 1
    return "" if not number or header.parent == f"v{number:03d}" else f" after v{number:03d}"


def with_body(source: str, body: str) -> str:
    """A script with another body under the header that it has, if any."""
    header = _HEADER.match(source, _header_place(source))
    start = _header_place(body)
    return body if header is None else body[:start] + header[0] + body[start:]


def get_constant(source: str, name: str) -> str | None:
    """The value of a module-level string constant; None where there is no such one.

    Raises:
        ScriptError: the source is not Python.
    """
    literal = _string_constant(Index(source), name)
    return None if literal is None else str(literal.value)


def set_constant(source: str, name: str, value: str) -> str:
    """Set a module-level string constant, in its own quotes; a value that is there already is kept.

    Raises:
        EditError: the script has no module-level string of that name, or binds it more than once.
        ScriptError: the source is not Python.
    """
    index = Index(source)
    literal = _string_constant(index, name)
    if literal is None:
        raise EditError(f'Expected one line {name} = "..." at module level, got none or several. Write one.')
    return rebuild(source, [Edit(*index.span(literal), written(value, index.text(literal)))])


def undo_edits(parent_body: str, grandparent_body: str) -> tuple[JsonValue, ...]:
    """The line edits that turn a script back into the one it was made from, apart from VERSION.

    Args:
        parent_body: without header.
        grandparent_body: of the script before it, without header.

    Returns:
        `(index of the first line, lines there, lines to put there)` each, from the bottom of the file up.
    """
    old, new = _lines(_without_version(parent_body)), _lines(_without_version(grandparent_body))
    opcodes = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
    # One line of context on either side, so that an insertion has lines to be checked against too.
    replaced = [
        (max(start - 1, 0), old[max(start - 1, 0) : end + 1], new[max(first - 1, 0) : last + 1])
        for tag, start, end, first, last in opcodes
        if tag != "equal"
    ]
    return tuple(_Patch.dump_python([*reversed(replaced)], mode="json"))


def apply_edits(source: str, edits: Sequence[JsonValue]) -> str:
    """Make the edits that `undo_edits` recorded; VERSION stays what it is in `source`.

    Raises:
        EditError: the lines to be replaced are not the recorded ones, or `edits` are none.
    """
    try:
        patches = _Patch.validate_python(edits)
    except ValidationError as error:
        raise EditError(
            f"Expected edits as `undo_edits` records them, got others: {error}. Record them anew."
        ) from error
    lines = _lines(_without_version(source))
    for first, there, instead in patches:
        if lines[first : first + len(there)] != there:
            raise EditError(
                f"Expected line {first + 1} to begin what the last change wrote, got other text. "
                "The script was edited since; take the change back by hand."
            )
        lines[first : first + len(there)] = instead
    result, version = "".join(lines), get_constant(source, _VERSION)
    return result if version is None else set_constant(result, _VERSION, version)


def unified_diff(before: str, after: str, before_name: str, after_name: str) -> str:
    """What differs between two scripts, as `diff -u` writes it; empty where nothing does."""
    lines = difflib.unified_diff(_lines(before), _lines(after), before_name, after_name)
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _header_place(source: str) -> int:
    match = _BEFORE_HEADER.match(source)
    return match.end() if match else 0


def _without_version(source: str) -> str:
    return source if get_constant(source, _VERSION) is None else set_constant(source, _VERSION, "")


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def _string_constant(index: Index, name: str) -> ast.Constant | None:
    match index.members(index.tree).get(name, []):
        case [ast.Constant(value=str()) as literal]:
            return literal
    return None
