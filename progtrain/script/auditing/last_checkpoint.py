"""The audit's check that last.ckpt is the end of the training.

Since Lightning 2.6 `save_last=True` writes it only when another checkpoint is written: beside a `monitor`, with a new
best.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from progtrain.records import CheckpointSettings, Snapshot
from progtrain.script.auditing.attaching import Attached, attach_callbacks
from progtrain.script.auditing.calls import (
    ARTIFACT_DIR,
    is_one_a_line,
    package,
    set_arguments,
    without_argument,
)
from progtrain.script.auditing.construction import Construction, free_name, placed
from progtrain.script.auditing.imports import written
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue, unmended
from progtrain.script.auditing.sites import Site
from progtrain.script.reading.modules import ModuleDisplay
from progtrain.script.reading.structure import Edit, ParsedScript, argument

CHECKPOINT_ARGUMENTS = ("dirpath", "filename", "monitor", "verbose", "save_last", "save_top_k")
_AT_EVERY_END = {"save_last": "True", "save_on_train_epoch_end": "True"}


def checkpoints_in(snapshot: Snapshot, facts: AuditFacts) -> tuple[CheckpointSettings, ...]:
    """The live ModelCheckpoints that write into the version's own folder."""
    folder = f"Models/Artifacts/{facts.folder}"
    return tuple(each for each in snapshot.checkpoints if f"/{(each.dirpath or '').rstrip('/')}".endswith(f"/{folder}"))


def last_checkpoint(callee: str, folder: str) -> Construction:
    """A ModelCheckpoint that writes last.ckpt at the end of every epoch, over the one before.

    Args:
        callee: the class, as the script writes it.
        folder: the expression of its folder.
    """
    always = ("save_on_train_epoch_end=True", "enable_version_counter=False")
    return Construction("last", callee, (f"dirpath={folder}", 'filename="last"', *always))


def keep_the_end(
    script: ParsedScript,
    snapshot: Snapshot,
    sites: tuple[Site, ...],
    calls: list[ast.Call],
    best: ast.Call,
    facts: AuditFacts,
    *,
    in_place: bool,
) -> Checked:
    """Write last.ckpt at the end of every epoch.

    Args:
        script: the baseline.
        snapshot: what it is about to train.
        sites: where it trains.
        calls: every call of ModelCheckpoint.
        best: the one that keeps the best.
        facts: what is known beside the script.
        in_place: whether that one watches nothing, and so saves at every epoch itself.
    """
    given = argument(best, 4, "save_last") is not None
    message = _message(given)
    if in_place:
        return _saved_with(script, best, message, {})
    switched_off = without_argument(script, best, 4, "save_last")
    # Lightning takes no two that watch nothing and save as often.
    periodic = [each for each in calls if each is not best and _saves_every_epoch(each)]
    if periodic:
        found = _saved_with(script, periodic[0], message, {"dirpath": ARTIFACT_DIR})
        return Checked(found.issues, (*switched_off, *found.edits))
    dotted = f"{package(script)}.callbacks.ModelCheckpoint"
    made = last_checkpoint(written(script, dotted), _folder(script, best, right=bool(checkpoints_in(snapshot, facts))))
    attached = _beside(script, best, made) or attach_callbacks(script, snapshot, sites, (made,))
    if attached is None:
        return unmended(message, how_to_keep_the_end(script), best.lineno)
    remedy = 'save_last=True replaced by a second ModelCheckpoint, filename="last", that watches nothing'
    issue = Issue(
        message, best.lineno, remedy if given else remedy.replace("save_last=True replaced by", "given"), needed=True
    )
    return Checked((issue,), (*switched_off, *attached.edits), (dotted,), attached.before)


def _message(given: bool) -> str:
    return "expected last.ckpt in Models/Artifacts/{VERSION}/ to be the end of the training, found " + (
        "save_last=True beside a monitor, which writes it only with a new best" if given else "nothing that writes it"
    )


def how_to_keep_the_end(script: ParsedScript) -> str:
    """What a person is to write."""
    name = written(script, f"{package(script)}.callbacks.ModelCheckpoint")
    return f"pass {last_checkpoint(name, ARTIFACT_DIR).text} to the Trainer's callbacks"


def _folder(script: ParsedScript, best: ast.Call, *, right: bool) -> str:
    """The folder of the best checkpoint as it is written, where that is the right one."""
    given = argument(best, 0, "dirpath")
    named = isinstance(given, ast.Name | ast.Attribute)
    return script.text(given) if given is not None and named and right else ARTIFACT_DIR


def _saved_with(script: ParsedScript, call: ast.Call, message: str, settings: dict[str, str]) -> Checked:
    settings = settings | {
        keyword: text
        for keyword, text in _AT_EVERY_END.items()
        if (given := argument(call, 4 if keyword == "save_last" else len(call.args), keyword)) is None
        or script.text(given) != text
    }
    listed = ", ".join(f"{keyword}={text}" for keyword, text in settings.items())
    issue = Issue(message, call.lineno, f"ModelCheckpoint given {listed}", needed=True)
    return Checked((issue,), set_arguments(script, call, CHECKPOINT_ARGUMENTS, settings))


def _saves_every_epoch(call: ast.Call) -> bool:
    other = ("monitor", "every_n_epochs", "every_n_train_steps", "train_time_interval")
    return argument(call, 2, "monitor") is None and not any(each.arg in other for each in call.keywords)


def _beside(script: ParsedScript, best: ast.Call, made: Construction) -> Attached | None:
    """Another ModelCheckpoint in the places that `best` has; None where they cannot be seen."""
    statement = script.parent(best)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) if script.begins_line(statement):
            new = free_name(script, made.name)
            places = [edit for use in _uses(script, name) for edit in _in_place(script, use, new or "")]
            if new is None or not places:
                return None
            indentation = script.indentation(script.start(statement))
            line = made.assigned(new, indentation, one_a_line=is_one_a_line(best))
            return Attached((script.new_line_after(statement, line), *places))
    if isinstance(statement, ast.List) and not script.begins_line(best):
        ahead, (text,) = placed(script, best, [made])
        return Attached((*ahead, *_in_place(script, best, text)))
    return Attached(edits) if (edits := _in_place(script, best, made.text)) else None


def _uses(script: ParsedScript, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node


def _in_place(script: ParsedScript, use: ast.expr, made: str) -> tuple[Edit, ...]:
    """The edits that put `made` behind an element of a list, an appended one, or a single callback."""
    match script.parent(use):
        case ast.List(elts=elements) as display:
            return ModuleDisplay(script, tuple(elements), display).insert_after(elements.index(use), (made,))
        case ast.keyword(arg="callbacks"):
            start, end = script.start(use), script.end(use)
            return Edit(start, start, "["), Edit(end, end, f", {made}]")
        case ast.Call(func=ast.Attribute(attr="append") as append) as call if script.begins_line(call):
            return (script.new_line_after(call, f"{script.text(append)}({made})"),)
    return ()
