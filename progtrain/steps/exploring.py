"""A script outside the loop, bound to the rules of its folder: what `progtrain inspect` and `apply` begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from progtrain.actions import Situation
from progtrain.errors import ScriptError
from progtrain.executors import Executor
from progtrain.records import Snapshot
from progtrain.rules import Rules, read_rules
from progtrain.script.auditing.settings import locks_on
from progtrain.script.editing.versioning import body
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.steps.capturing import capture_source
from progtrain.steps.offers import check_action_names
from progtrain.user_files import read_text
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class Explored:
    """A script as it stands.

    Args:
        path: of the script.
        source: its text, header and all.
        rules: of its folder.
        situation: where every action that fits may be offered.
    """

    path: Path
    source: str
    rules: Rules
    situation: Situation


def explore(path: Path, executor: Executor) -> Explored:
    """Capture and read a script.

    Raises:
        CaptureError: it does not reach `Trainer.fit`.
        RulesError: the rules of its folder have no meaning.
        ScriptError: it is not Python.
    """
    source = read_text(path, ScriptError)
    rules = read_rules(path.resolve().parent)
    check_action_names(rules)
    snapshot = snapshot_of(path, source, executor)
    situation = Situation(
        anatomy=read_anatomy(body(source)),
        snapshot=snapshot,
        findings=(),
        history=(),
        locks=locks_on(snapshot, rules),
        seed=rules.seed,
    )
    return Explored(path, source, rules, situation)


def snapshot_of(path: Path, source: str, executor: Executor) -> Snapshot:
    """Capture `source` as if it stood at `path`.

    Raises:
        CaptureError: it does not reach `Trainer.fit`.
    """
    return capture_source(Workspace(path.resolve().parent), executor, path.stem.removeprefix("02_train_"), source)
