"""The audit's check that a training can be repeated: without a seed the same script trains to another score."""

from __future__ import annotations

import ast
from typing import Final

from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.auditing.calls import package
from progtrain.script.auditing.imports import written
from progtrain.script.auditing.issues import Checked, Issue
from progtrain.script.editing.edit import reference
from progtrain.script.reading.structure import Edit, ParsedScript

_MESSAGE: Final = "no seed: the same script trains to another score each time"


def check_seed(script: ParsedScript, snapshot: Snapshot, rules: Rules) -> Checked:
    """`seed_everything` behind the imports, before anything is drawn: data, weights, order.

    Args:
        script: the baseline.
        snapshot: what it is about to train.
        rules: the user's, whose seed is set.
    """
    if snapshot.seed is not None:
        return Checked()
    dotted = f"{package(script)}.seed_everything"
    try:
        name = _from_the_top(script) or written(script, dotted)
    except EditError as error:
        return Checked((Issue(_MESSAGE, None, f"not patched: {error}", patched=False),))
    last = _last_import(script, name.partition(".")[0])
    end = script.line_end(script.end(last))
    call = f"{name}({rules.seed})"
    blank = "" if script.source[end:].startswith(("\n\n", "\r\n\r\n")) else "\n"
    issue = Issue(_MESSAGE, None, f"{call} added")
    return Checked((issue,), (Edit(end, end, f"\n\n{call}{blank}"),), imports=(dotted,) if "." not in name else ())


def _from_the_top(script: ParsedScript) -> str | None:
    """`L.seed_everything` where `import lightning as L` leads there."""
    if package(script) != "lightning.pytorch":
        return None
    source, name = reference(script.source, "lightning.seed_everything")
    return name if source == script.source else None


def _last_import(script: ParsedScript, name: str) -> ast.stmt:
    """The last of the imports that the script begins with, or the later one that binds a name."""
    body = script.tree.body
    found = next((each for each in body if isinstance(each, ast.Import | ast.ImportFrom)), body[0])
    begun = False
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
            if not begun or name in bound:
                found = statement
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            begun = True
    return found
