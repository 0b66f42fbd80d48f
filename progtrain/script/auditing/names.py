"""The audit's checks of DATASET_ID and VERSION, and of the paths that must derive from them."""

from __future__ import annotations

import ast
import re

from progtrain.records import Snapshot
from progtrain.script.auditing.calls import calls_of
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue
from progtrain.script.auditing.paths import Constant, Use, find_uses
from progtrain.script.reading.structure import Edit, ParsedScript
from progtrain.workspace import BASELINE

_LIVE_FOLDER = re.compile(r"Models/Artifacts/([^/\"'{}]+)")
_WRITTEN_TO = ("dirpath", "save_dir", "default_root_dir")


def check_names(script: ParsedScript, facts: AuditFacts, snapshot: Snapshot | None = None) -> Checked:
    """DATASET_ID and VERSION are module-level strings of the right value, and paths derive from them.

    Args:
        script: the baseline.
        facts: what is known beside it.
        snapshot: what it is about to train; None where it has not been captured yet.
    """
    live = _live_folders(snapshot) - {facts.folder} if snapshot else frozenset()
    folders = frozenset({BASELINE}) | _written_folders(script) | live
    folder = _artifact_folder(script, folders)
    dataset = Constant("DATASET_ID", facts.dataset_id, ("dataset", "prepdata"), frozenset(), "data")
    version = Constant("VERSION", folder, ("Models", "Artifacts"), folders | {folder}, "version")
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


def _artifact_folder(script: ParsedScript, folders: frozenset[str]) -> str:
    """`baseline`, in the spelling that the builder used."""
    written = re.search(r"Models/Artifacts/(baseline)\b|\bVERSION\s*=\s*[\"'](baseline)[\"']", script.source, re.I)
    if written:
        return written[1] or written[2]
    spelled = [folder for folder in sorted(folders) if folder.lower() == BASELINE]
    return spelled[0] if spelled else BASELINE


def _live_folders(snapshot: Snapshot) -> frozenset[str]:
    """The folders below Models/Artifacts that the live script writes to."""
    written = [checkpoint.dirpath for checkpoint in snapshot.checkpoints]
    written += [logger.log_dir for logger in snapshot.loggers]
    return frozenset(match[1] for path in written if path and (match := _LIVE_FOLDER.search(path)))


def _written_folders(script: ParsedScript) -> frozenset[str]:
    """Those that VERSION names, or that are given to what writes checkpoints and logs, as far as the source tells."""
    statement = _assignment(script, "VERSION")
    texts = [] if statement is None else [f"Models/Artifacts/{getattr(statement.value, 'value', BASELINE)}"]
    given = [keyword.value for call in script.calls() for keyword in call.keywords if keyword.arg in _WRITTEN_TO]
    given += [call.args[0] for name in ("ModelCheckpoint", "CSVLogger") for call in calls_of(script, name) if call.args]
    for value in given:
        named = _assignment(script, value.id) if isinstance(value, ast.Name) else None
        texts.append(script.text(value if named is None or named.value is None else named.value))
    return frozenset(match[1] for text in texts if (match := _LIVE_FOLDER.search(text)))


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
