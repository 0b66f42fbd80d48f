"""Calls of Lightning's classes in a script, and edits of their arguments that keep the layout."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from progtrain.script.auditing.issues import Checked, Issue
from progtrain.script.editing.edit import reference
from progtrain.script.reading.structure import Edit, ParsedScript, argument

ARTIFACT_DIR = 'f"Models/Artifacts/{VERSION}"'
_LIGHTNING = re.compile(r"^(lightning|pytorch_lightning)\.")


def calls_of(script: ParsedScript, name: str) -> list[ast.Call]:
    """Calls of a Lightning class, by any of its import paths or as a class derived from it, in source order."""
    derived = {
        node.name
        for node in ast.walk(script.tree)
        if isinstance(node, ast.ClassDef) and any(_is_lightning(script.dotted(base), name) for base in node.bases)
    }
    calls = (node for node in ast.walk(script.tree) if isinstance(node, ast.Call))
    found = [call for call in calls if _is_lightning(script.called(call), name) or script.called(call) in derived]
    return sorted(found, key=script.start)


def _is_lightning(dotted: str, name: str) -> bool:
    return bool(_LIGHTNING.match(dotted)) and dotted.rpartition(".")[2] == name


def package(script: ParsedScript) -> str:
    """The Lightning package that the script's Trainer is of."""
    imported = {script.called(call) for call in calls_of(script, "Trainer")}
    return (
        "pytorch_lightning" if any(name.startswith("pytorch_lightning") for name in imported) else "lightning.pytorch"
    )


def written(script: ParsedScript, name: str) -> str:
    """How the script would write an imported name."""
    return reference(script.source, name)[1]


def strings(script: ParsedScript) -> Iterator[str]:
    """Every string of one line, parts of f-strings included."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            yield node.value


def unmended(message: str, reason: str, line: int | None = None) -> Checked:
    """An issue that is left to the user, and why."""
    return Checked((Issue(message, line, f"not patched: {reason}", False),))


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
    return (*edits, *((_add_keywords(script, call, added),) if added else ()))


def _add_keywords(script: ParsedScript, call: ast.Call, keywords: list[str]) -> Edit:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not given:
        inside = script.end(call) - 1
        return Edit(inside, inside, ", ".join(keywords))
    end = script.end(max(given, key=script.end))
    one_a_line = len({call.lineno, *(each.lineno for each in given)}) == len(given) + 1
    between = f",\n{script.indentation(end)}" if one_a_line else ", "
    return Edit(end, end, "".join(between + keyword for keyword in keywords))


def added_to_trainer(script: ParsedScript, keyword: str, dotted: str, arguments: str, message: str) -> Checked:
    """A new logger or callback, beside what the Trainer already has.

    Args:
        script: holds exactly one call of Trainer.
        keyword: `logger` or `callbacks`.
        dotted: full name of the class.
        arguments: of its construction, as they are written.
        message: of the issue that this mends.
    """
    (trainer,) = calls_of(script, "Trainer")
    made = f"{written(script, dotted)}({arguments})"
    given = argument(trainer, len(trainer.args), keyword)
    if given is None and any(each.arg is None for each in trainer.keywords):
        return unmended(message, f"Trainer(...) takes **keywords, and {keyword} may be among them", trainer.lineno)
    issue = Issue(message, trainer.lineno, f"{made} added to the Trainer")
    return Checked((issue,), (_beside(script, trainer, keyword, made),), (dotted,))


def _beside(script: ParsedScript, trainer: ast.Call, keyword: str, made: str) -> Edit:
    given = argument(trainer, len(trainer.args), keyword)
    alone = made if keyword == "logger" else f"[{made}]"
    if given is None:
        return _add_keywords(script, trainer, [f"{keyword}={alone}"])
    if isinstance(given, ast.Constant):
        return script.replace(given, alone)
    listed = _list_display(script, given)
    if listed is not None:
        end = script.end(listed.elts[-1]) if listed.elts else script.end(listed) - 1
        return Edit(end, end, f", {made}" if listed.elts else made)
    one = keyword == "logger" or isinstance(given, ast.Call)
    return script.replace(given, f"[{'' if one else '*'}{script.text(given)}, {made}]")


def _list_display(script: ParsedScript, given: ast.expr) -> ast.List | None:
    """The list display that an argument is, or is a name of."""
    if isinstance(given, ast.Name):
        values = [
            node.value
            for node in ast.walk(script.tree)
            if isinstance(node, ast.Assign) and [script.text(target) for target in node.targets] == [given.id]
        ]
        given = values[0] if len(values) == 1 else given
    return given if isinstance(given, ast.List) else None
