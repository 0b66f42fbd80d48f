"""When a loop ends: read from the records alone, so that a loop started again decides as one that was never stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from progtrain.records import WITHOUT_EFFECT
from progtrain.rules import Rules
from progtrain.step_records import (
    RANGE_TEST,
    AnalyzeRecord,
    ChooseRecord,
    EvaluateRecord,
    ProbeRecord,
    RangeTestRecord,
    RepeatRecord,
    StepRecord,
    TrainRecord,
    WithdrawnRecord,
    probe_name,
    repeat_name,
    withdrawn_name,
)
from progtrain.workspace import Workspace, version_number

RECENT_VERSIONS: Final = 3
"""How many of the newest versions say what one more takes: later models are often larger than the first."""

_STEPS: Final[tuple[tuple[str, type[StepRecord]], ...]] = (
    ("train", TrainRecord),
    ("evaluate", EvaluateRecord),
    ("analyze", AnalyzeRecord),
    ("choose", ChooseRecord),
)


@dataclass(frozen=True)
class TimeSpent:
    """What the versions have taken so far, by the times in their records.

    Args:
        used: minutes of all steps of all versions, of repeats with other seeds, and of probes.
        expected: minutes that one more version takes: the mean of the newest ones, without repeats.
    """

    used: float
    expected: float


def why_ended(workspace: Workspace, rules: Rules) -> str | None:
    """Why no version follows the newest one, in words; None where one may, or where the newest is not done.

    Args:
        workspace: whose records are read.
        rules: with the limits.
    """
    versions = workspace.versions()
    if not versions:
        return None
    newest, config = versions[-1], rules.loop_config
    chosen = workspace.read_record(ChooseRecord, "choose", newest)
    if chosen is None:
        return None
    if version_number(newest) >= config.max_versions:
        return f"{newest} is the last that loop_config.max_versions ({config.max_versions}) allows"
    if chosen.selected is None:
        return chosen.remark or "nothing in the catalogue may be applied"
    return _out_of_patience(workspace, rules, versions) or _out_of_time(workspace, rules)


def time_spent(workspace: Workspace) -> TimeSpent:
    """Minutes that the versions have taken and that one more is expected to take; see TimeSpent."""
    versions = workspace.versions()
    used = [_minutes([*_steps(workspace, version), *_repeats(workspace, version)]) for version in versions]
    repeated = [_minutes(_repeats(workspace, version)) for version in versions]
    own = [minutes - extra for minutes, extra in zip(used, repeated, strict=True) if minutes]
    total = sum(used) + _minutes(_probes_apart(workspace, versions))
    return TimeSpent(used=total, expected=fmean(own[-RECENT_VERSIONS:]) if own else 0.0)


def _out_of_patience(workspace: Workspace, rules: Rules, versions: tuple[str, ...]) -> str | None:
    patience = rules.loop_config.patience
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", versions[-1])
    if patience is None or analyzed is None or analyzed.best_so_far is None:
        return None
    best = analyzed.best_so_far
    later = [version for version in versions if version_number(version) > version_number(best)]
    since = sum(not _without_effect(workspace, version) for version in later)
    if since < patience:
        return None
    return f"{since} version(s) after {best} have not improved on it beyond noise (loop_config.patience: {patience})"


def _without_effect(workspace: Workspace, version: str) -> bool:
    """Whether a version is its parent over again, and no try of anything."""
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    return analyzed is not None and analyzed.comparison.verdict == WITHOUT_EFFECT


def _out_of_time(workspace: Workspace, rules: Rules) -> str | None:
    budget = rules.loop_config.time_budget_minutes
    if budget is None:
        return None
    spent = time_spent(workspace)
    if spent.used + spent.expected <= budget:
        return None
    return (
        f"{spent.used:.1f} minutes are used and one more version takes about {spent.expected:.1f} "
        f"(loop_config.time_budget_minutes: {budget:g})"
    )


def _steps(workspace: Workspace, version: str) -> Iterator[StepRecord]:
    for name, kind in _STEPS:
        record = workspace.read_record(kind, name, version)
        if record is not None:
            yield record


def _repeats(workspace: Workspace, version: str) -> Iterator[StepRecord]:
    return workspace.read_numbered(RepeatRecord, repeat_name, version)


def _probes_apart(workspace: Workspace, versions: Sequence[str]) -> Iterator[StepRecord]:
    """Trainings that no record of a choice covers: of changes withdrawn since, and of a loop killed before it chose."""
    records = [workspace.read_record(ChooseRecord, "choose", version) for version in versions]
    chosen = [(record.started_at, record.finished_at) for record in records if record is not None]
    for version in versions:
        tested = workspace.read_record(RangeTestRecord, RANGE_TEST, version)
        made: list[StepRecord] = [
            *workspace.read_numbered(ProbeRecord, probe_name, version),
            *workspace.read_numbered(WithdrawnRecord, withdrawn_name, version),
        ]
        for probe in [*made, tested] if tested is not None else made:
            if not any(start <= probe.started_at <= end for start, end in chosen):
                yield probe


def _minutes(records: Iterable[StepRecord]) -> float:
    """What the records cover; repeats are made while their version is analyzed, and count once."""
    seconds, end = 0.0, None
    for record in sorted(records, key=lambda record: record.started_at):
        start = record.started_at if end is None else max(end, record.started_at)
        seconds += max(0.0, (record.finished_at - start).total_seconds())
        end = record.finished_at if end is None else max(end, record.finished_at)
    return seconds / 60
