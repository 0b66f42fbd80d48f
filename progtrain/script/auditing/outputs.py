"""The audit's checks of the logs and checkpoints that a training leaves behind."""

from __future__ import annotations

import ast
import re

from progtrain.records import CheckpointSettings, Snapshot
from progtrain.script.auditing.calls import (
    ARTIFACT_DIR,
    added_to_trainer,
    calls_of,
    package,
    set_arguments,
    strings,
    unmended,
)
from progtrain.script.auditing.issues import Checked, Issue
from progtrain.script.reading.structure import ParsedScript, argument

_ARTIFACT_PATH = re.compile(r"(^|/)Models/Artifacts/[^/]+/?$")
_LOG_PATH = re.compile(r"(^|/)Models/Artifacts/[^/]+/logs/version_\d+/?$")
_VALID_LOSS = re.compile(r"(val|valid|validation)[_/.-](\w+[_/.-])?loss|loss[_/.-](val|valid|validation)")
_CHECKPOINT_ARGUMENTS = ("dirpath", "filename", "monitor", "verbose", "save_last", "save_top_k")
_LOGGER_ARGUMENTS = ("save_dir", "name", "version")


def check_logs(script: ParsedScript, snapshot: Snapshot) -> Checked:
    """A CSVLogger writes Models/Artifacts/{VERSION}/logs/version_#/."""
    folders = [each.log_dir or "" for each in snapshot.loggers if each.type.endswith("CSVLogger")]
    if any(_LOG_PATH.search(folder) for folder in folders):
        return Checked()
    found = f"found logs in {'/'.join(folders[0].split('/')[-3:])}" if folders else "found no CSVLogger"
    message = f"expected logs in Models/Artifacts/{{VERSION}}/logs/version_#/, {found}"
    loggers, trainers = calls_of(script, "CSVLogger"), calls_of(script, "Trainer")
    if len(loggers) == 1:
        settings = {"save_dir": ARTIFACT_DIR, "name": '"logs"'}
        if argument(loggers[0], 2, "version") is not None:
            settings["version"] = "None"
        edits = set_arguments(script, loggers[0], _LOGGER_ARGUMENTS, settings)
        return Checked((Issue(message, loggers[0].lineno, f"CSVLogger given {_listed(settings)}"),), edits)
    if len(trainers) != 1 or loggers:
        return unmended(message, f"{len(trainers)} calls of Trainer and {len(loggers)} of CSVLogger in the script")
    dotted = f"{package(script)}.loggers.CSVLogger"
    return added_to_trainer(script, "logger", dotted, f'save_dir={ARTIFACT_DIR}, name="logs"', message)


def check_checkpoints(script: ParsedScript, snapshot: Snapshot) -> Checked:
    """A ModelCheckpoint, or the script itself, writes best.ckpt and last.ckpt into Models/Artifacts/{VERSION}/."""
    here = [each for each in snapshot.checkpoints if _ARTIFACT_PATH.search(each.dirpath or "")]
    best = any(each.filename == "best" for each in here) or _names_file(script, "best.ckpt")
    last = any(each.save_last for each in here) or _names_file(script, "last.ckpt")
    if best and last:
        return Checked()
    lacking = " and ".join(name for name, there in (("best.ckpt", best), ("last.ckpt", last)) if not there)
    message = f"expected {lacking} in Models/Artifacts/{{VERSION}}/, found nothing that writes it"
    calls, trainers = calls_of(script, "ModelCheckpoint"), calls_of(script, "Trainer")
    main = [call for call in calls if argument(call, 2, "monitor") is not None] if len(calls) > 1 else calls
    if len(main) == 1:
        settings = _lacking_settings(script, main[0], snapshot.checkpoints)
        issue = Issue(message, main[0].lineno, f"ModelCheckpoint given {_listed(settings)}")
        edits = set_arguments(script, main[0], _CHECKPOINT_ARGUMENTS, settings)
        return Checked((issue, *_nothing_to_monitor(script)), edits)
    if calls or len(trainers) != 1:
        return unmended(message, f"{len(trainers)} calls of Trainer and {len(calls)} of ModelCheckpoint in the script")
    return _added_checkpoint(script, trainers[0], message)


def _lacking_settings(script: ParsedScript, call: ast.Call, live: tuple[CheckpointSettings, ...]) -> dict[str, str]:
    """The arguments that a ModelCheckpoint lacks, or has otherwise."""
    wanted = {"filename": '"best"', "save_last": "True"}
    if not any(_ARTIFACT_PATH.search(each.dirpath or "") for each in live):
        wanted["dirpath"] = ARTIFACT_DIR
    if argument(call, 2, "monitor") is None and (monitor := _valid_loss(script)):
        wanted["monitor"] = f'"{monitor}"'
    if argument(call, 5, "save_top_k") is not None:
        wanted["save_top_k"] = "1"
    return {
        keyword: wanted[keyword]
        for position, keyword in enumerate(_CHECKPOINT_ARGUMENTS)
        if keyword in wanted and not _is_written(script, argument(call, position, keyword), wanted[keyword])
    }


def _is_written(script: ParsedScript, given: ast.expr | None, text: str) -> bool:
    return given is not None and script.text(given).replace("'", '"') == text


def _added_checkpoint(script: ParsedScript, trainer: ast.Call, message: str) -> Checked:
    monitor = _valid_loss(script)
    watched = f'monitor="{monitor}", ' if monitor else ""
    arguments = f'dirpath={ARTIFACT_DIR}, filename="best", {watched}save_last=True'
    dotted = f"{package(script)}.callbacks.ModelCheckpoint"
    added = added_to_trainer(script, "callbacks", dotted, arguments, message)
    enabled = argument(trainer, len(trainer.args), "enable_checkpointing")
    switched = () if enabled is None or not added.edits else (script.replace(enabled, "True"),)
    return Checked(added.issues + _nothing_to_monitor(script), added.edits + switched, added.imports)


def _nothing_to_monitor(script: ParsedScript) -> tuple[Issue, ...]:
    monitored = any(argument(call, 2, "monitor") for call in calls_of(script, "ModelCheckpoint"))
    if monitored or _valid_loss(script):
        return ()
    message = "expected a validation loss to choose the best checkpoint by, found none that is logged"
    return (Issue(message, None, "not patched: best.ckpt will be the newest; log val_loss in validation_step", False),)


def _valid_loss(script: ParsedScript) -> str | None:
    """The validation loss by the name it is logged under."""
    return next((text for text in strings(script) if _VALID_LOSS.fullmatch(text.lower())), None)


def _names_file(script: ParsedScript, name: str) -> bool:
    return any(text == name or text.endswith(f"/{name}") for text in strings(script))


def _listed(settings: dict[str, str]) -> str:
    return ", ".join(f"{keyword}={text}" for keyword, text in settings.items())
