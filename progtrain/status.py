"""What `progtrain status` and `progtrain diff` say, from the records and scripts alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from progtrain.ending import time_spent, why_ended
from progtrain.errors import WorkspaceError
from progtrain.ranking import rules_of
from progtrain.rules import Rules
from progtrain.step_records import AnalyzeRecord, AuthorRecord, ChooseRecord, EvaluateRecord, ReportRecord, TrainRecord
from progtrain.workspace import BASELINE, Workspace

_STEPS = (
    ("train", TrainRecord),
    ("evaluate", EvaluateRecord),
    ("analyze", AnalyzeRecord),
    ("choose", ChooseRecord),
)


def describe(workspace: Workspace) -> str:
    """A line a version, then what comes next."""
    rules = rules_of(workspace)
    primary = rules.eval_config.primary
    versions = workspace.versions()
    if not versions and not workspace.baseline_script.is_file():
        raise WorkspaceError(
            f"Expected a workspace with {workspace.baseline_script.name} or versions of it, got {workspace.root}. "
            "Make one by `progtrain new`, or name another folder."
        )
    if not versions:
        return f"{workspace.root}: no version yet; progtrain run begins with Step 0"
    lines = [f"{'version':8} {'action':24} {primary:>12} {'verdict':14} next step"]
    lines += [_line(workspace, version, primary) for version in versions]
    return "\n".join([*lines, *_outlook(workspace, rules)])


def difference(workspace: Workspace, before: str, after: str) -> str:
    """A unified diff of two versions' scripts; `3` stands for `v003`.

    Raises:
        ArgumentError: there is no such version.
    """
    before, after = (name if name == BASELINE else workspace.named_version(name) for name in (before, after))
    first, second = (workspace.read_script(version).splitlines(keepends=True) for version in (before, after))
    return "".join(difflib.unified_diff(first, second, before, after))


def _outlook(workspace: Workspace, rules: Rules) -> Iterator[str]:
    """Whether the loop is finished and why, and how much of its budget is used."""
    report, versions = workspace.read_record(ReportRecord, "report"), workspace.versions()
    if report is not None and report.versions == versions:
        yield f"finished: best is {report.best}, report in {report.folder}"
    reason = why_ended(workspace, rules)
    if reason is not None:
        yield f"ended: {reason}"
    else:
        yield f"{len(versions)} of {rules.loop_config.max_versions} versions; progtrain run goes on from here"
    if rules.loop_config.time_budget_minutes is not None:
        spent = time_spent(workspace)
        yield (
            f"{spent.used:.1f} of {rules.loop_config.time_budget_minutes:g} minutes used; "
            f"one more version takes about {spent.expected:.1f}"
        )


def _line(workspace: Workspace, version: str, primary: str) -> str:
    author = workspace.read_record(AuthorRecord, "author", version)
    evaluated = workspace.read_record(EvaluateRecord, "evaluate", version)
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    metric = None if evaluated is None else evaluated.score.metric(primary)
    value = "" if metric is None or metric.value is None else f"{metric.value:.4f}"
    missing = (
        name for name, kind in _STEPS if not workspace.is_whole(workspace.read_record(kind, name, version), version)
    )
    return (
        f"{version:8} {author.action if author else 'by hand':24} {value:>12} "
        f"{analyzed.comparison.verdict if analyzed else '':14} {next(missing, 'done')}"
    )
