"""Step 6: write the next version's script, exactly as the guard accepted it."""

from __future__ import annotations

from progtrain.errors import EditError, WorkspaceError
from progtrain.script.editing.versioning import body
from progtrain.step_records import NOTHING_ASKS, AnalyzeRecord, AuthorRecord, ChooseRecord
from progtrain.steps.context import Context
from progtrain.steps.guard import child_source
from progtrain.workspace import now, sha256_of, version_id, version_number, write_atomic


def author(context: Context, version: str) -> None:
    """Make the script of the version after `version` from the action chosen there.

    Raises:
        WorkspaceError: nothing was chosen.
        EditError: the parent's script is no longer the one that the guard saw.
    """
    workspace = context.workspace
    chosen = workspace.read_record(ChooseRecord, "choose", version)
    if chosen is None or chosen.selected is None:
        raise WorkspaceError(f"No action is selected for {version}; `progtrain choose` does that step.")
    child = version_id(version_number(version) + 1)
    parent_source = workspace.read_script(chosen.parent)
    source = child_source(body(parent_source), chosen.parent, child, chosen.selected)
    if sha256_of(source) != chosen.child_sha256:
        raise EditError(
            f"{child} would not be the script that the guard accepted: "
            f"{workspace.script(chosen.parent).name} or progtrain itself has changed since. `progtrain choose` chooses "
            "again."
        )
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", chosen.parent)
    found = set() if analyzed is None else {finding.name for finding in analyzed.findings}
    record = AuthorRecord(
        version=child,
        parent=chosen.parent,
        parent_sha256=sha256_of(parent_source),
        action=chosen.selected.action,
        parameters=chosen.selected.parameters,
        touches=chosen.selected.touches,
        script_sha256=sha256_of(source),
        created_at=now(),
        answers=chosen.selected.answers if chosen.selected.answers in found else NOTHING_ASKS,
    )
    path = workspace.script(child)
    if path.exists() and workspace.script_sha256(child) != record.script_sha256:
        raise WorkspaceError(
            f"{path.name} is there already and is another script. Move it away to have it written anew."
        )
    # The record first: a script without its record would pass for one written by hand.
    workspace.write_record(record, "author", child)
    write_atomic(path, source)
    context.say(f"{child} = {chosen.parent} + {chosen.selected.action}: {chosen.selected.change}")
