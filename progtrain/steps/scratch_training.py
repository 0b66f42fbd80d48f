"""Training a script and measuring it by the locked yardstick, in a folder that is thrown away: it is no version."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from progtrain.executors import Job
from progtrain.records import EvalScore
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.script.capturing.trackers import throw_away
from progtrain.steps.capturing import evaluation_time_limit
from progtrain.steps.context import Context
from progtrain.steps.failure import summarise
from progtrain.steps.seal import Seal
from progtrain.workspace import Workspace

_NOT_COPIED: Final = frozenset({"lock.json", "tracking.json"})


@dataclass(frozen=True)
class ScratchFailure:
    """Why a script in a scratch folder came to no score.

    Args:
        could_not_be: what was being done to it.
        reason: in one line.
        log: of the job that failed.
    """

    could_not_be: Literal["trained", "measured"]
    reason: str
    log: Path


def score_in_scratch(
    context: Context,
    owner: str,
    name: str,
    version: str,
    source: str,
    on_tick: Callable[[], None] | None = None,
) -> EvalScore | ScratchFailure:
    """Train `source` and measure it as a version is measured; nothing of it is kept but its score and its logs.

    Args:
        context: the opened workspace.
        owner: the version among whose logs those of this training lie.
        name: of the logs.
        version: as which the script stands in the folder.
        source: the script.
        on_tick: called a few times a second meanwhile.

    Raises:
        ProtocolChangedError: it changed files that a training script has no business with.
    """
    workspace, limit = context.workspace, context.rules.loop_config.train_time_limit_minutes
    with scratch_view(workspace, version, source) as view:
        _copy_state(workspace, view)
        seal = Seal(workspace, version)
        log = workspace.log(owner, name)
        time_limit = None if limit is None else limit * 60
        job = Job((workspace.script(version).name,), view, log, time_limit, throw_away(view))
        trained = context.executor.run(job, on_tick)
        seal.hold_records()
        seal.hold_users_files()
        if not trained.succeeded:
            return ScratchFailure("trained", summarise(trained, log), log)
        log = workspace.log(owner, f"{name}_evaluate")
        job = Job((workspace.eval_script.name, version), view, log, evaluation_time_limit(workspace))
        measured = context.executor.run(job, on_tick)
        seal.hold_records()
        seal.hold_users_files()
        if not measured.succeeded:
            return ScratchFailure("measured", summarise(measured, log), log)
        return EvalScore.model_validate_json((Workspace(view).artifacts(version) / "eval_score.json").read_bytes())


def _copy_state(workspace: Workspace, view: Path) -> None:
    """What the loop has fixed, so that the script is measured by the same locked yardstick."""
    state = Workspace(view).state
    state.mkdir(exist_ok=True)
    for path in workspace.state.glob("*.json"):
        if path.name not in _NOT_COPIED:
            shutil.copyfile(path, state / path.name)
