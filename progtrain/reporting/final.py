"""Step 7's report: leaderboard.csv, final-analysis.md, progress.png and the best version's artifacts."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from progtrain.errors import ReportError
from progtrain.ranking import rules_of
from progtrain.reporting.candidates import read_candidates
from progtrain.reporting.final_analysis import REEVALUATION, render_final_analysis
from progtrain.reporting.leaderboard import Leaderboard, build_leaderboard
from progtrain.reporting.plots import draw_progress
from progtrain.reporting.story import read_change
from progtrain.rules import Rules
from progtrain.workspace import Workspace

__all__ = ["REEVALUATION", "leaderboard_of", "next_report_folder", "write_report"]


def next_report_folder(workspace: Workspace) -> Path:
    """Models/Report/YYYY-MM-DD_HH-MM of the present minute in local time, or of the next one that is free."""
    moment = datetime.now().astimezone()
    while (folder := workspace.reports / moment.strftime("%Y-%m-%d_%H-%M")).exists():
        moment += timedelta(minutes=1)
    return folder


def leaderboard_of(workspace: Workspace) -> Leaderboard:
    """All that takes part, ranked from the workspace's files as they are now."""
    rules = rules_of(workspace)
    return build_leaderboard(read_candidates(workspace), rules.eval_config.primary, rules.constraints.max_latency_ms)


def write_report(workspace: Workspace, folder: Path) -> Leaderboard:
    """Make the whole report in `folder`, which appears at once and complete.

    Args:
        workspace: where the loop has ended.
        folder: one that is not there yet, in Models/Report/.

    Raises:
        ReportError: the folder is there already or lies elsewhere, or no version was evaluated.
    """
    folder = _new(workspace, folder)
    board = leaderboard_of(workspace)
    checkpoint = workspace.artifacts(board.best) / "best.ckpt"
    if not checkpoint.is_file():
        raise ReportError(
            f"Expected the best version's checkpoint at {checkpoint}, found none. "
            f"`progtrain train {board.best}` makes it anew."
        )
    workspace.state.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.state, prefix="report-") as scratch:
        draft = Path(scratch) / folder.name
        draft.mkdir()
        _fill(workspace, draft, board, rules_of(workspace))
        workspace.reports.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, folder)
    return board


def _new(workspace: Workspace, folder: Path) -> Path:
    folder = workspace.root / folder
    if folder.parent.resolve() != workspace.reports.resolve():
        raise ReportError(
            f"Expected a folder in {workspace.reports}, got {folder}. "
            "leaderboard.csv names its artifacts relative to there; choose a name like 2026-02-23_22-01."
        )
    if folder.exists():
        raise ReportError(f"{folder} is there already, and a report is never overwritten. Name another folder.")
    return folder


def _fill(workspace: Workspace, folder: Path, board: Leaderboard, rules: Rules) -> None:
    (folder / "leaderboard.csv").write_text(board.to_csv(), encoding="utf-8")
    source, target = workspace.artifacts(board.best), folder / "Artifacts" / board.best
    changes = [read_change(workspace, version, board.primary) for version in workspace.versions()]
    not_drawn = draw_progress(folder / "progress.png", board.primary, board.higher_is_better, changes)
    page = render_final_analysis(workspace, board, rules, not_drawn)
    (folder / "final-analysis.md").write_text(page, encoding="utf-8")
    target.mkdir(parents=True)
    for name in ("best.ckpt", "spec.json"):
        if (source / name).is_file():
            shutil.copy2(source / name, target / name)
    if (source / "additional_assets").is_dir():
        shutil.copytree(source / "additional_assets", target / "additional_assets")
