"""The audit's check of the logs that a training leaves behind."""

from __future__ import annotations

import re

from progtrain.records import Snapshot
from progtrain.script.auditing.attaching import attach_logger
from progtrain.script.auditing.calls import ARTIFACT_DIR, calls_of, hides_arguments, package, set_arguments
from progtrain.script.auditing.construction import Construction
from progtrain.script.auditing.imports import written
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue, unmended
from progtrain.script.auditing.sites import Site
from progtrain.script.reading.structure import ParsedScript, argument

_ARGUMENTS = ("save_dir", "name", "version")


def check_logs(script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...], facts: AuditFacts) -> Checked:
    """A CSVLogger writes Models/Artifacts/{VERSION}/logs/version_#/."""
    folders = [each.log_dir or "" for each in snapshot.loggers if each.type.endswith("CSVLogger")]
    right = re.compile(rf"(^|/)Models/Artifacts/{re.escape(facts.folder)}/logs/version_\d+/?$")
    if any(right.search(folder) for folder in folders):
        return Checked()
    found = f"found logs in {'/'.join(folders[0].split('/')[-4:])}" if folders else "found no CSVLogger"
    message = f"expected logs in Models/Artifacts/{{VERSION}}/logs/version_#/, {found}"
    loggers = calls_of(script, "CSVLogger")
    if len(loggers) == 1 and folders and not hides_arguments(loggers[0]):
        settings = {"save_dir": ARTIFACT_DIR, "name": '"logs"'}
        if argument(loggers[0], 2, "version") is not None:
            settings["version"] = "None"
        edits = set_arguments(script, loggers[0], _ARGUMENTS, settings)
        listed = ", ".join(f"{keyword}={text}" for keyword, text in settings.items())
        return Checked((Issue(message, loggers[0].lineno, f"CSVLogger given {listed}", needed=True),), edits)
    dotted = f"{package(script)}.loggers.CSVLogger"
    made = Construction("logger", written(script, dotted), (f"save_dir={ARTIFACT_DIR}", 'name="logs"'))
    attached = attach_logger(script, snapshot, sites, made)
    line = _trainer_line(script, sites)
    if attached is None:
        return unmended(message, f"pass logger={made.text} to the Trainer", line)
    issue = Issue(message, line, f"{made.text} added to the Trainer", needed=True)
    return Checked((issue,), attached.edits, (dotted,), attached.before)


def _trainer_line(script: ParsedScript, sites: tuple[Site, ...]) -> int | None:
    trainers = calls_of(script, "Trainer")
    if len(trainers) == 1:
        return trainers[0].lineno
    return sites[0].line if sites else None
