"""The state machine: do the first step whose record is missing, until there are versions enough."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.ending import why_ended
from progtrain.errors import EvaluationError, RulesError, TrainingFailedError
from progtrain.executors.local import LocalExecutor
from progtrain.layout import check_layout
from progtrain.ranking import ranked_by, rules_of
from progtrain.rules import Rules
from progtrain.step_records import ReportRecord
from progtrain.steps import STEPS, Context, author, initialize, report
from progtrain.steps.remember import remember
from progtrain.steps.withdrawing import set_aside, withdraw
from progtrain.terminal import Terminal
from progtrain.tracking import Tracker
from progtrain.tracking.store import resolve_uri
from progtrain.withdrawn import warnings_of_withdrawn
from progtrain.workspace import Workspace, now, version_number


@contextmanager
def opened(folder: Path, max_versions: int | None = None) -> Iterator[Context]:
    """A workspace, locked, with its executor warming up and its tracker at hand; all ended at the end.

    Args:
        folder: the workspace.
        max_versions: a lower limit than the rules'.
    """
    workspace = Workspace(folder)
    check_layout(workspace)
    with workspace.lock(), _terminated_as_interrupted():
        rules = _limited(rules_of(workspace), max_versions)
        resolve_uri(workspace)  # refused now, and not after Step 0
        terminal = Terminal(sys.stdout)
        for warning in warnings_of_withdrawn():  # before any job imports them
            terminal.say(f"warning: {warning}")
        with LocalExecutor(rules.loop_config.isolation, workspace.state / "supervisor.log") as executor:
            tracker = Tracker(workspace, rules, executor)
            context = Context(workspace, rules, executor, tracker, RuleAdvisor(), terminal.say, terminal.progress)
            try:
                yield context
            except BaseException:
                terminal.progress("")
                tracker.close("FAILED")
                raise
            tracker.close("FINISHED")


def run_loop(context: Context, dataset_id: str | None = None, retrain: bool = False) -> ReportRecord:
    """Steps 0 to 7; what is done already is not done again.

    Args:
        context: an opened workspace.
        dataset_id: of `--dataset-id`.
        retrain: train the newest version anew, whatever its records say.

    Returns:
        The report's record.
    """
    initialize(context, dataset_id)
    context = _ranked(context)
    remember(context)  # before the tracker: two that open a new database at once get into each other's way
    context.tracker.open(context.loop.dataset_id)
    _tell_limits(context)
    if retrain:
        context.workspace.forget("train", context.workspace.versions()[-1])
    while True:
        version = context.workspace.versions()[-1]
        if set_aside(context, version) or not _walk(context, version):
            continue
        if _is_last(context, version):
            break
        author(context, version)
    return report(context)


def _ranked(context: Context) -> Context:
    """The context with the primary metric that Step 0 chose, where it had to."""
    rules = ranked_by(context.rules, context.loop.primary)
    context.tracker.rank_by(rules)
    return replace(context, rules=rules)


def _walk(context: Context, version: str) -> bool:
    """Do what is left of a version's steps; False where its change had to be withdrawn."""
    began = now()
    try:
        for step in STEPS:
            done = context.workspace.read_record(step.record, step.name, version)
            if not context.workspace.is_whole(done, version):
                step.run(context, version)
    except (TrainingFailedError, EvaluationError) as error:
        if not withdraw(context, version, error, began):
            raise
        return False
    return True


def _is_last(context: Context, version: str) -> bool:
    reason = why_ended(context.workspace, context.rules)
    if reason is None:
        return False
    if version_number(version) < context.rules.loop_config.max_versions:
        context.say(f"{version}: {reason}; the loop ends here")
    return True


def _tell_limits(context: Context) -> None:
    rules = context.rules
    for line in rules.held_instructions:
        context.say(f"user_instruction.md: {line}")
    for warning in dict.fromkeys((*context.loop.warnings, *rules.warnings)):
        context.say(f"warning: {warning}")


def _limited(rules: Rules, max_versions: int | None) -> Rules:
    if max_versions is None:
        return rules
    config = rules.loop_config
    if "max_versions" in config.model_fields_set and max_versions > config.max_versions:
        raise RulesError(
            f"The rules allow {config.max_versions} versions, --max-versions asks for {max_versions}. "
            "Raise loop_config.max_versions in user_defined_rules.json: the rules outrank the command line."
        )
    return rules.model_copy(update={"loop_config": config.model_copy(update={"max_versions": max_versions})})


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM leaves through the same `finally` blocks as Ctrl-C does."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_step(context: Context, name: str, version: str | None = None) -> None:
    """Do one step by hand, whether it was done before or not.

    Args:
        context: an opened workspace.
        name: of a step in STEPS, or `author`.
        version: for instance `v002`; the newest where None.
    """
    wanted = None if version is None else context.workspace.named_version(version)
    initialize(context)
    context = _ranked(context)
    remember(context)
    context.tracker.open(context.loop.dataset_id)
    wanted = wanted or context.workspace.versions()[-1]
    runs = {step.name: step.run for step in STEPS} | {"author": author}
    runs[name](context, wanted)


def run_report(context: Context) -> ReportRecord:
    """Do Step 7 by hand."""
    context.tracker.open(context.loop.dataset_id)
    return report(context)
