"""What `progtrain status` and `progtrain diff` say, from the records and scripts alone."""

from __future__ import annotations

import difflib

from progtrain.records import AnalyzeRecord, AuthorRecord, ChooseRecord, EvaluateRecord, ReportRecord, TrainRecord
from progtrain.rules import read_rules
from progtrain.workspace import Workspace

_STEPS = (
    ("train", TrainRecord),
    ("evaluate", EvaluateRecord),
    ("analyze", AnalyzeRecord),
    ("choose", ChooseRecord),
)


def describe(workspace: Workspace) -> str:
    """A line a version, then what comes next."""
    rules = read_rules(workspace.root)
    primary = rules.eval_config.primary
    versions = workspace.versions()
    if not versions:
        return f"{workspace.root}: no version yet; progtrain run begins with Step 0"
    lines = [f"{'version':8} {'action':24} {primary:>12} {'verdict':14} next step"]
    lines += [_line(workspace, version, primary) for version in versions]
    report = workspace.read_record(ReportRecord, "report")
    if report is not None and report.versions == versions:
        lines.append(f"finished: best is {report.best}, report in {report.folder}")
    else:
        lines.append(f"{len(versions)} of {rules.loop_config.max_versions} versions; progtrain run goes on from here")
    return "\n".join(lines)


def difference(workspace: Workspace, before: str, after: str) -> str:
    """A unified diff of two versions' scripts."""
    first, second = (workspace.read_script(version).splitlines(keepends=True) for version in (before, after))
    return "".join(difflib.unified_diff(first, second, before, after))


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
