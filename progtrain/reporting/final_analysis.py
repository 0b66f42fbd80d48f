"""final-analysis.md: the ranking, why the first three rank high, the path to the best, and all warnings."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.ending import why_ended
from progtrain.records import EvalScore
from progtrain.reporting.hidden_split import read_hidden_split
from progtrain.reporting.leaderboard import Leaderboard, Row
from progtrain.reporting.rendering import render
from progtrain.reporting.story import Change, header_of, line_of, summary_of
from progtrain.rules import Rules
from progtrain.step_records import (
    TAKING_BACK,
    UNREGISTERED,
    EvaluateRecord,
    ExternalRecord,
    LoopRecord,
    TrainRecord,
    UnregisteredRecord,
    WithdrawnRecord,
    external_name,
    withdrawn_name,
)
from progtrain.workspace import Workspace

REEVALUATION = "reevaluate"
"""Name of the record (an EvalScore, one a version) that re-evaluating the registered models leaves."""
DRIFT_TOLERANCE = 1e-4
TOP = 3


@dataclass(frozen=True)
class TopEntry:
    """What is said of one of the first three.

    Args:
        line: its changes, oldest first; empty for a model from elsewhere.
        helped: those of them that improved the primary metric, the greatest first; ground won back is no gain.
        header: what its script says at the top.
        summary: what its result-analysis.md says at the top.
    """

    rank: int
    row: Row
    line: tuple[Change, ...]
    helped: tuple[Change, ...]
    header: tuple[str, ...]
    summary: str


def render_final_analysis(workspace: Workspace, board: Leaderboard, rules: Rules, not_drawn: str | None = None) -> str:
    """The page.

    Args:
        workspace: whose records and pages are read.
        board: as ranked.
        rules: whose lines in words are told of: those that hold, and the unenforced ones as warnings.
        not_drawn: why progress.png is not beside it.
    """
    versions = [row.version_id for row in board.rows if not row.external]
    loop = workspace.read_record(LoopRecord, "loop")
    return render(
        "final-analysis.md.j2",
        not_drawn=not_drawn,
        board=board,
        top=[_top(workspace, board, rank) for rank in range(1, min(TOP, len(board.rows)) + 1)],
        path=line_of(workspace, board.best, board.primary),
        versions=versions,
        why_ended=why_ended(workspace, rules),
        held_instructions=rules.held_instructions,
        warnings=tuple(
            dict.fromkeys(
                (
                    *board.warnings,
                    *(loop.warnings if loop else ()),
                    *rules.warnings,
                    *_leaks(workspace, versions),
                    *_unregistered(workspace, versions),
                )
            )
        ),
        withdrawn=[
            record
            for each in workspace.versions()
            for record in workspace.read_numbered(WithdrawnRecord, withdrawn_name, each)
        ],
        drifts=_drifts(workspace, versions),
        hidden=read_hidden_split(workspace, board.best),
        external=[record for name in workspace.external_names() if (record := _external(workspace, name))],
        reevaluated=[v for v in versions if workspace.read_record(EvalScore, REEVALUATION, v) is not None],
    )


def _top(workspace: Workspace, board: Leaderboard, rank: int) -> TopEntry:
    row = board.rows[rank - 1]
    if row.external:
        return TopEntry(rank, row, (), (), (), "")
    line = line_of(workspace, row.version_id, board.primary)
    improved = [change for change in line if change.verdict == "improved" and change.action != TAKING_BACK]
    return TopEntry(
        rank=rank,
        row=row,
        line=line,
        helped=tuple(sorted(improved, key=lambda change: -(change.difference or 0.0))),
        header=header_of(workspace, row.version_id),
        summary=summary_of(workspace, row.version_id),
    )


def _external(workspace: Workspace, name: str) -> ExternalRecord | None:
    return workspace.read_record(ExternalRecord, external_name(name))


def _leaks(workspace: Workspace, versions: list[str]) -> tuple[str, ...]:
    """Which versions train on samples that they are measured by."""
    found = []
    for version in versions:
        trained = workspace.read_record(TrainRecord, "train", version)
        shared = None if trained is None else trained.snapshot.shared
        if shared is not None and shared.shared:
            found.append(
                f"{version} trains on {shared.shared} of {shared.looked_at} validation samples that were looked at: "
                "its score is not to be believed"
            )
    return tuple(found)


def _unregistered(workspace: Workspace, versions: list[str]) -> tuple[str, ...]:
    """Which versions have no model in the registry, and why."""
    records = {version: workspace.read_record(UnregisteredRecord, UNREGISTERED, version) for version in versions}
    return tuple(f"{version} has no registered model: {each.reason}" for version, each in records.items() if each)


def _drifts(workspace: Workspace, versions: list[str]) -> tuple[str, ...]:
    """Where the registered model, measured again, gave another value than after its training."""
    found = []
    for version in versions:
        evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
        again = workspace.read_record(EvalScore, REEVALUATION, version)
        if evaluated is None or again is None:
            continue
        for metric in evaluated.score.metrics:
            other = again.metric(metric.name)
            value = None if other is None else other.value
            if not _same(metric.value, value):
                found.append(f"{version}: {metric.name} was {metric.value} and is {value} now")
    return tuple(found)


def _same(before: float | None, again: float | None) -> bool:
    if before is None or again is None:
        return before is again
    return abs(again - before) <= 1e-6 + DRIFT_TOLERANCE * abs(before)
