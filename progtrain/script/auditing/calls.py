"""Calls of Lightning's classes in a script, and edits of their arguments that keep the layout."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from progtrain.script.editing.arguments import add_keyword
from progtrain.script.reading.index import Index
from progtrain.script.reading.structure import Edit, ParsedScript, argument

ARTIFACT_DIR = 'f"Models/Artifacts/{VERSION}"'
_LIGHTNING = re.compile(r"^(lightning|pytorch_lightning)\.")


def calls_of(script: ParsedScript, name: str) -> list[ast.Call]:
    """Calls of a Lightning class, by any of its import paths or as a class derived from it, in source order."""
    derived = {each.name for each in subclasses(script, name)}
    calls = (node for node in ast.walk(script.tree) if isinstance(node, ast.Call))
    found = [call for call in calls if is_lightning(script.called(call), name) or script.called(call) in derived]
    return sorted(found, key=script.start)


def subclasses(script: ParsedScript, name: str) -> list[ast.ClassDef]:
    """The script's own classes that derive from a Lightning class."""
    classes = [node for node in ast.walk(script.tree) if isinstance(node, ast.ClassDef)]
    return [each for each in classes if any(is_lightning(script.dotted(base), name) for base in each.bases)]


def is_lightning(dotted: str, name: str) -> bool:
    """Whether a full name is that of a Lightning class."""
    return bool(_LIGHTNING.match(dotted)) and dotted.rpartition(".")[2] == name


def package(script: ParsedScript) -> str:
    """The Lightning package that the script's Trainer is of."""
    imported = {script.called(call) for name in ("Trainer", "LightningCLI") for call in calls_of(script, name)}
    return (
        "pytorch_lightning" if any(name.startswith("pytorch_lightning") for name in imported) else "lightning.pytorch"
    )


def strings(script: ParsedScript) -> Iterator[str]:
    """Every string of one line, parts of f-strings included."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            yield node.value


def hides_arguments(call: ast.Call) -> bool:
    """Whether some of its arguments stand behind a star."""
    return any(each.arg is None for each in call.keywords) or any(isinstance(each, ast.Starred) for each in call.args)


def set_arguments(
    script: ParsedScript, call: ast.Call, positions: tuple[str, ...], settings: dict[str, str]
) -> tuple[Edit, ...]:
    """Replace the arguments that are given, add the others as keywords behind the last."""
    edits: list[Edit] = []
    added: list[str] = []
    for keyword, text in settings.items():
        position = positions.index(keyword) if keyword in positions else len(call.args)
        given = argument(call, position, keyword)
        if given is None:
            added.append(f"{keyword}={text}")
        else:
            edits.append(script.replace(given, text))
    return (*edits, *(add_keywords(script, call, added) if added else ()))


def add_keywords(script: ParsedScript, call: ast.Call, keywords: list[str]) -> tuple[Edit, ...]:
    """The edits that pass more keywords, each on a line of its own where the others stand so."""
    between = f",\n{script.indentation(script.start(last_argument(call)))}" if is_one_a_line(call) else ", "
    if not hides_arguments(call):
        return tuple(add_keyword(Index(script.source), call, between.join(keywords)))
    end = script.end(last_argument(call))
    return (Edit(end, end, "".join(between + keyword for keyword in keywords)),)


def last_argument(call: ast.Call) -> ast.expr:
    """The value of a call's last argument; the call where it has none."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return max(given, key=lambda each: (each.end_lineno or 0, each.end_col_offset or 0), default=call)


def without_argument(script: ParsedScript, call: ast.Call, position: int, keyword: str) -> tuple[Edit, ...]:
    """The edit that takes a switch away, or switches it off where it cannot be taken out of its place."""
    given = argument(call, position, keyword)
    if given is None:
        return ()
    values = [*call.args, *(each.value for each in call.keywords)]
    index = values.index(given)
    if index == 0 or index < len(call.args):
        return (script.replace(given, "False"),)
    start = script.end(values[index - 1])
    between = script.source[start : script.end(given)]
    return (script.replace(given, "False"),) if "#" in between else (Edit(start, script.end(given), ""),)


def is_one_a_line(call: ast.Call) -> bool:
    """Whether every argument stands on a line of its own."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return len({call.lineno, *(each.lineno for each in given)}) == len(given) + 1
