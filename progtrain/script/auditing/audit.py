"""The one-time audit of a baseline: what does not follow the contract, and the smallest patch that mends it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from progtrain.records import Snapshot
from progtrain.script.auditing.checkpoints import check_checkpoints
from progtrain.script.auditing.command_line import check_arguments, training_sites
from progtrain.script.auditing.imports import with_import
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue
from progtrain.script.auditing.logs import check_logs
from progtrain.script.auditing.monitored import check_directions
from progtrain.script.auditing.names import check_names
from progtrain.script.auditing.seeding import check_seed
from progtrain.script.auditing.settings import apply_batch_size, contradictions, hold_settings
from progtrain.script.auditing.sites import Site
from progtrain.script.auditing.spec import check_hyperparameters, check_spec
from progtrain.script.reading.structure import ParsedScript, rebuild

__all__ = [
    "Audit",
    "AuditFacts",
    "Issue",
    "audit",
    "contradictions",
    "hold_settings",
    "patch_to_run",
    "render_patch_report",
    "smoke_test_batch_size",
]

_BATCH_SIZE = re.compile(r"optimal[ _]batch[ _]size\W*?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Audit:
    """What was found, and the script after the patch; the same script where nothing had to be mended."""

    issues: tuple[Issue, ...]
    source: str


def audit(source: str, snapshot: Snapshot, facts: AuditFacts) -> Audit:
    """Hold a baseline against the contract of a training script; nothing that it trains is made better.

    Args:
        source: the baseline script.
        snapshot: what it is about to train.
        facts: the data set, the smoke test's batch size, the user's rules.

    Raises:
        ScriptError: the source is not Python.
    """
    settings = hold_settings(source, snapshot, facts.rules)
    batch = apply_batch_size(settings.source, snapshot, facts)
    script = ParsedScript(batch.source)
    sites = training_sites(script)
    checks = (
        check_names(script, facts, snapshot),
        check_arguments(script, facts),
        check_logs(script, snapshot, sites, facts),
        check_checkpoints(script, snapshot, sites, facts),
        check_directions(snapshot),
        check_seed(script, snapshot, facts.rules),
        check_hyperparameters(script, snapshot, sites),
        check_spec(script, sites),
    )
    found = [issue for check in checks for issue in check.issues]
    return Audit((*found, *settings.issues, *batch.issues), _patched(script, checks, sites))


def patch_to_run(source: str, facts: AuditFacts) -> str:
    """The baseline with what keeps it from being run here mended, as far as the source tells: names, paths, arguments.

    Args:
        source: the baseline script.
        facts: the data set, the smoke test's batch size, the user's rules.

    Raises:
        ScriptError: the source is not Python.
    """
    script = ParsedScript(source)
    return _patched(script, (check_names(script, facts), check_arguments(script, facts)), ())


def _patched(script: ParsedScript, checks: Sequence[Checked], sites: Sequence[Site]) -> str:
    edits = [edit for check in checks for edit in check.edits]
    before = [line for check in checks for line in check.before]
    after = [line for check in checks for line in check.after]
    edits += [edit for site in sites for edit in site.edits(before, after)]
    patched = rebuild(script.source, edits)
    for name in sorted({name for check in checks for name in check.imports}):
        patched = with_import(patched, script, name)
    return patched


def smoke_test_batch_size(report: Path) -> int | None:
    """`optimal_batch_size` of a smoke test's report; None where there is no report, or none in it."""
    if not report.is_file():
        return None
    found = _BATCH_SIZE.search(report.read_text(encoding="utf-8", errors="replace"))
    return int(found[1]) if found else None


def render_patch_report(audited: Audit, told: tuple[str, ...] = ()) -> str:
    """baseline_patch_report.md: issues_found, patch_summary, files_changed, compatibility_notes, and what was left.

    Args:
        audited: what was found.
        told: what the user is to know of the training beside it.
    """
    mended = [issue for issue in audited.issues if issue.patched]
    left = [issue for issue in audited.issues if not issue.patched]
    sections = {
        "issues_found": [f"{_place(issue)}{issue.message}" for issue in audited.issues],
        "patch_summary": [f"{_place(issue)}{issue.remedy}" for issue in mended],
        "files_changed": ["`02_train_baseline.py`"] if mended else [],
        "compatibility_notes": [
            "The script still runs by itself as `python 02_train_baseline.py`, and imports nothing of progtrain.",
            *(f"{_place(issue)}{issue.message}: {issue.remedy}" for issue in left),
            *told,
        ],
        "why nothing else was changed": [
            "The patch only makes names, paths, outputs and the settings fixed by the rules consistent.",
            "Changes for performance are forbidden here; each is a version of its own.",
        ],
    }
    body = "".join(_section(title, lines) for title, lines in sections.items())
    return f"# Baseline patch report\n{body}"


def _section(title: str, lines: list[str]) -> str:
    return f"\n## {title}\n\n" + "".join(f"- {line}\n" for line in lines or ["none"])


def _place(issue: Issue) -> str:
    return f"line {issue.line}: " if issue.line else ""
