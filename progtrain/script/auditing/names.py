"""The audit's checks of DATASET_ID and VERSION, and of the paths that must derive from them."""

from __future__ import annotations

import ast
import re

from progtrain.records import Snapshot
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue
from progtrain.script.auditing.paths import Constant, Use, find_uses
from progtrain.script.reading.structure import Edit, ParsedScript
from progtrain.workspace import BASELINE

_LIVE_FOLDER = re.compile(r"Models/Artifacts/([^/]+)")


def check_names(script: ParsedScript, snapshot: Snapshot, facts: AuditFacts) -> Checked:
    """DATASET_ID and VERSION are module-level strings of the right value, and paths derive from them."""
    folder = _artifact_folder(script, snapshot)
    dataset = Constant("DATASET_ID", facts.dataset_id, ("dataset", "prepdata"), frozenset(), "data")
    version = Constant("VERSION", folder, ("Models", "Artifacts"), _version_folders(snapshot) | {folder}, "version")
    issues: list[Issue] = []
    edits: list[Edit] = []
    missing: list[Constant] = []
    for constant in (dataset, version):
        uses, foreign = find_uses(script, constant)
        issues += [_rewritten(constant, use) for use in uses] + [_left_alone(constant, use) for use in foreign]
        edits += [use.edit for use in uses]
        statement = _assignment(script, constant.name)
        too_late = statement is not None and any(use.edit.start < script.start(statement) for use in uses)
        if statement is None or too_late:
            missing.append(constant)
        if statement is None:
            issues.append(_absent(constant))
        elif too_late:
            issues.append(_late(constant, statement))
            edits.append(_removal(script, statement))
        else:
            found = _check_value(script, constant, statement)
            issues += found.issues
            edits += found.edits
    if missing:
        edits.append(_insertion(script, missing))
    return Checked(tuple(issues), tuple(edits))


def _artifact_folder(script: ParsedScript, snapshot: Snapshot) -> str:
    """`baseline`, in the spelling that the builder used."""
    written = re.search(r"Models/Artifacts/(baseline)\b|\bVERSION\s*=\s*[\"'](baseline)[\"']", script.source, re.I)
    if written:
        return written[1] or written[2]
    live = [folder for folder in _version_folders(snapshot) if folder.lower() == BASELINE]
    return live[0] if live else BASELINE


def _version_folders(snapshot: Snapshot) -> frozenset[str]:
    """The folders below Models/Artifacts that the live script writes to."""
    written = [checkpoint.dirpath for checkpoint in snapshot.checkpoints]
    written += [logger.log_dir for logger in snapshot.loggers]
    return frozenset({BASELINE} | {match[1] for path in written if path and (match := _LIVE_FOLDER.search(path))})


def _absent(constant: Constant) -> Issue:
    message = f"expected a module-level constant {constant.name}, found none"
    return Issue(message, None, f'inserted {constant.name} = "{constant.value}"')


def _late(constant: Constant, statement: ast.stmt) -> Issue:
    message = f"{constant.name} is defined after a path that must derive from it"
    return Issue(message, statement.lineno, "moved to the top of the script")


def _removal(script: ParsedScript, statement: ast.stmt) -> Edit:
    behind = min(script.line_end(script.end(statement)) + 1, len(script.source))
    return Edit(script.start(statement), behind, "")


def _check_value(script: ParsedScript, constant: Constant, statement: ast.Assign | ast.AnnAssign) -> Checked:
    value = statement.value
    assert value is not None
    if isinstance(value, ast.Constant) and value.value == constant.value:
        return Checked()
    text = script.text(value)
    quote = "'" if text.startswith("'") else '"'
    message = f'expected {constant.name} = "{constant.value}", found {text}'
    issue = Issue(message, statement.lineno, f'set to "{constant.value}"')
    return Checked((issue,), (script.replace(value, f"{quote}{constant.value}{quote}"),))


def _assignment(script: ParsedScript, name: str) -> ast.Assign | ast.AnnAssign | None:
    for statement in script.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)]) if target == name:
                return statement
            case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name and value is not None:
                return statement
    return None


def _insertion(script: ParsedScript, constants: list[Constant]) -> Edit:
    """Behind the last import of the script's head, else behind its docstring, else at the top."""
    lines = "".join(f'{constant.name} = "{constant.value}"\n' for constant in constants)
    head: ast.stmt | None = None
    for position, statement in enumerate(script.tree.body):
        docstring = position == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not docstring and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        head = statement
    if head is None:
        return Edit(0, 0, lines + "\n")
    end = script.line_end(script.end(head))
    return Edit(end, end, "\n\n" + lines.removesuffix("\n"))


def _rewritten(constant: Constant, use: Use) -> Issue:
    message = f"expected a path below {constant.folder}/ that derives from {constant.name}, found {use.found!r}"
    return Issue(message, use.line, f"derives from {constant.name}")


def _left_alone(constant: Constant, use: Use) -> Issue:
    message = f"{constant.folder}/{use.found} is not the folder that {constant.name} names"
    return Issue(message, use.line, "left as it is: the script uses several, and only one can be the loop's", False)
