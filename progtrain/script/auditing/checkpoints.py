"""The audit's check of the checkpoints that a training leaves behind: the best, and the end of the training."""

from __future__ import annotations

import ast
import re

from progtrain.records import CheckpointSettings, Snapshot
from progtrain.script.auditing.attaching import attach_callbacks
from progtrain.script.auditing.calls import (
    ARTIFACT_DIR,
    calls_of,
    hides_arguments,
    package,
    set_arguments,
    strings,
)
from progtrain.script.auditing.construction import Construction
from progtrain.script.auditing.imports import written
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue, unmended
from progtrain.script.auditing.last_checkpoint import (
    CHECKPOINT_ARGUMENTS,
    checkpoints_in,
    keep_the_end,
    last_checkpoint,
)
from progtrain.script.auditing.monitored import valid_loss
from progtrain.script.auditing.sites import TRAINER, Site
from progtrain.script.reading.structure import ParsedScript, argument

_SAVES = re.compile(r"\.(save_checkpoint|copy\w*|move|rename|symlink_to|hardlink_to)\(|torch\.save\(")


def check_checkpoints(script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...], facts: AuditFacts) -> Checked:
    """A ModelCheckpoint, or the script itself, writes best.ckpt and last.ckpt into Models/Artifacts/{VERSION}/."""
    here = checkpoints_in(snapshot, facts)
    best = any(_keeps_best(script, each) for each in here) or _saves(script, "best.ckpt")
    last = any(each.keeps_end for each in here) or _saves(script, "last.ckpt")
    if best and last:
        return Checked()
    calls = calls_of(script, "ModelCheckpoint")
    keeper = _keeper(script, calls)
    nothing = _nothing_to_monitor(script, snapshot)
    if keeper is not None and not hides_arguments(keeper):
        first = Checked() if best else _keep_best(script, keeper, is_there=bool(here))
        watches = argument(keeper, 2, "monitor") is not None or valid_loss(script) is not None
        second = (
            Checked() if last else keep_the_end(script, snapshot, sites, calls, keeper, facts, in_place=not watches)
        )
        return _joined(first, second, nothing)
    if not calls and not any(each.monitor or each.filename for each in snapshot.checkpoints):
        return _joined(_added(script, snapshot, sites), nothing)
    return _joined(_set_before_fit(script, snapshot, sites), nothing)


def _keeps_best(script: ParsedScript, checkpoint: CheckpointSettings) -> bool:
    watches = checkpoint.monitor is not None or valid_loss(script) is None
    return checkpoint.filename == "best" and checkpoint.save_top_k == 1 and watches


def _keeper(script: ParsedScript, calls: list[ast.Call]) -> ast.Call | None:
    """The call that keeps the best: by its file's name, by what it watches, or as the only one."""
    named = [call for call in calls if _literal(argument(call, 1, "filename")) == "best"]
    watching = [call for call in calls if argument(call, 2, "monitor") is not None]
    loss = [call for call in watching if _literal(argument(call, 2, "monitor")) == valid_loss(script)]
    return next(iter([*named, *loss, *watching, *(calls if len(calls) == 1 else [])]), None)


def _literal(given: ast.expr | None) -> object:
    return given.value if isinstance(given, ast.Constant) else None


def _keep_best(script: ParsedScript, call: ast.Call, *, is_there: bool) -> Checked:
    """The arguments that a ModelCheckpoint lacks, or has otherwise; `is_there`: one writes into the right folder."""
    wanted = {"filename": '"best"'}
    if not is_there:
        wanted["dirpath"] = ARTIFACT_DIR
    if argument(call, 2, "monitor") is None and (monitor := valid_loss(script)):
        wanted["monitor"] = f'"{monitor}"'
    if argument(call, 5, "save_top_k") is not None:
        wanted["save_top_k"] = "1"
    settings = {
        keyword: wanted[keyword]
        for position, keyword in enumerate(CHECKPOINT_ARGUMENTS)
        if keyword in wanted and not _is_written(script, argument(call, position, keyword), wanted[keyword])
    }
    listed = ", ".join(f"{keyword}={text}" for keyword, text in settings.items())
    issue = Issue(_lacking("best.ckpt"), call.lineno, f"ModelCheckpoint given {listed}", needed=True)
    return Checked((issue,), set_arguments(script, call, CHECKPOINT_ARGUMENTS, settings))


def _is_written(script: ParsedScript, given: ast.expr | None, text: str) -> bool:
    return given is not None and script.text(given).replace("'", '"') == text


def _added(script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...]) -> Checked:
    """Two ModelCheckpoints where the script has none; one that saves at every epoch where there is nothing to watch."""
    dotted = f"{package(script)}.callbacks.ModelCheckpoint"
    name, monitor = written(script, dotted), valid_loss(script)
    kept = (f"dirpath={ARTIFACT_DIR}", 'filename="best"')
    made = [Construction("best", name, (*kept, "save_last=True", "save_on_train_epoch_end=True"))]
    if monitor:
        made = [Construction("best", name, (*kept, f'monitor="{monitor}"')), last_checkpoint(name, ARTIFACT_DIR)]
    texts = [each.text for each in made]
    message, line = _lacking("best.ckpt and last.ckpt"), _trainer_line(script, sites)
    attached = attach_callbacks(script, snapshot, sites, made)
    if attached is None:
        return unmended(message, f"pass callbacks=[{', '.join(texts)}] to the Trainer", line)
    issue = Issue(message, line, f"{' and '.join(texts)} added to the Trainer", needed=True)
    return Checked((issue,), attached.edits, (dotted,), attached.before)


def _set_before_fit(script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...]) -> Checked:
    """A ModelCheckpoint that is made elsewhere, as by a configuration file, gets what it lacks before fit."""
    watching = next((each for each in snapshot.checkpoints if each.monitor), None)
    dotted = f"{package(script)}.callbacks.ModelCheckpoint"
    last = last_checkpoint(written(script, dotted), ARTIFACT_DIR).text
    message = _lacking("best.ckpt and last.ckpt")
    periodic = any(each.monitor is None for each in snapshot.checkpoints)
    if len(sites) != 1 or watching is None or periodic:
        best = f'{written(script, dotted)}(dirpath={ARTIFACT_DIR}, filename="best", monitor=...)'
        return unmended(message, f"pass callbacks=[{best}, {last}] to the Trainer", _trainer_line(script, sites))
    index = snapshot.checkpoints.index(watching)
    owner = f"{TRAINER}.checkpoint_callback" if not index else f"{TRAINER}.checkpoint_callbacks[{index}]"
    settings = {"dirpath": ARTIFACT_DIR, "filename": '"best"', "save_top_k": "1", "save_last": "False"}
    unchanged = {"save_top_k": watching.save_top_k == 1, "save_last": not watching.save_last}
    lines = [f"{owner}.{name} = {text}" for name, text in settings.items() if not unchanged.get(name)]
    issue = Issue(
        message, sites[0].line, f"the ModelCheckpoint given its folder and name before fit, {last} added", needed=True
    )
    return Checked((issue,), imports=(dotted,), before=(*lines, f"{TRAINER}.callbacks.append({last})"))


def _nothing_to_monitor(script: ParsedScript, snapshot: Snapshot) -> Checked:
    monitored = any(argument(call, 2, "monitor") for call in calls_of(script, "ModelCheckpoint"))
    if monitored or valid_loss(script) or any(each.monitor for each in snapshot.checkpoints):
        return Checked()
    message = "expected a validation loss to choose the best checkpoint by, found none that is logged"
    remedy = "not patched: best.ckpt will be the newest; log val_loss in validation_step"
    return Checked((Issue(message, None, remedy, patched=False),))


def _saves(script: ParsedScript, name: str) -> bool:
    """Whether the script writes a file of that name by itself, as far as can be seen; reading one is not enough."""
    named = any(text == name or text.endswith(f"/{name}") for text in strings(script))
    return named and _SAVES.search(script.source) is not None


def _lacking(names: str) -> str:
    return f"expected {names} in Models/Artifacts/{{VERSION}}/, found nothing that writes it"


def _trainer_line(script: ParsedScript, sites: tuple[Site, ...]) -> int | None:
    trainers = [*calls_of(script, "Trainer"), *calls_of(script, "LightningCLI")]
    return trainers[0].lineno if trainers else next((site.line for site in sites), None)


def _joined(*parts: Checked) -> Checked:
    return Checked(
        tuple(issue for part in parts for issue in part.issues),
        tuple(edit for part in parts for edit in part.edits),
        tuple(name for part in parts for name in part.imports),
        tuple(line for part in parts for line in part.before),
    )
