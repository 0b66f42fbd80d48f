"""How a version came about: its line of changes, read from the workspace's records and pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from progtrain.errors import WorkspaceError
from progtrain.records import Comparison
from progtrain.reporting.candidates import read_score
from progtrain.step_records import AnalyzeRecord, AuthorRecord
from progtrain.workspace import Workspace, version_id, version_number

BY_HAND = "by hand"


@dataclass(frozen=True)
class Change:
    """One version of a line.

    Args:
        parent: the version that it was made from; None for the first of the line.
        action: name of the catalogue's action, `baseline`, or `by hand`.
        text: what it changed, in words.
        primary: value of the primary metric, or None.
        comparison: with its parent; None where it was not analyzed.
    """

    version: str
    parent: str | None
    action: str
    text: str
    primary: float | None
    comparison: Comparison | None

    @property
    def verdict(self) -> str:
        """The comparison's verdict, or nothing."""
        return "" if self.comparison is None else self.comparison.verdict

    @property
    def difference(self) -> float | None:
        """Against the parent, positive is better."""
        return None if self.comparison is None else self.comparison.difference


def read_change(workspace: Workspace, version: str, primary: str) -> Change:
    """What one version changed of its parent, and what came of it."""
    author = workspace.read_record(AuthorRecord, "author", version)
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    score = read_score(workspace.artifacts(version))
    metric = None if score is None else score.metric(primary)
    if author is not None:
        parent, action = author.parent, author.action
    else:
        parent, action = _version_before(workspace, version), BY_HAND
    return Change(
        version=version,
        parent=parent,
        action=action,
        text=_change_text(workspace, version, action),
        primary=None if metric is None else metric.value,
        comparison=None if analyzed is None else analyzed.comparison,
    )


def line_of(workspace: Workspace, version: str, primary: str) -> tuple[Change, ...]:
    """The version and all that it descends from, oldest first."""
    line: list[Change] = []
    seen: set[str] = set()
    current: str | None = version
    while current is not None and current not in seen:
        seen.add(current)
        line.append(read_change(workspace, current, primary))
        current = line[-1].parent
    return tuple(reversed(line))


def header_of(workspace: Workspace, version: str) -> tuple[str, ...]:
    """The comment lines at the top of a version's script, without their marks."""
    try:
        lines = workspace.read_script(version).splitlines()
    except WorkspaceError:
        return ()
    comments = takewhile(lambda line: line.startswith("#") or not line.strip(), lines)
    said = (line.lstrip("#").strip().strip("-=").strip() for line in comments if not line.startswith("#!"))
    return tuple(line for line in said if line and "coding" not in line[:12])


def summary_of(workspace: Workspace, version: str) -> str:
    """The Summary of a version's result-analysis.md; empty where there is none."""
    text = _read(workspace, version, "result-analysis.md")
    match = re.search(r"^#+ *Summary\s*\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return " ".join(match[1].split()) if match else ""


def _version_before(workspace: Workspace, version: str) -> str | None:
    earlier = [other for other in workspace.versions() if version_number(other) < version_number(version)]
    return earlier[-1] if earlier else None


def _change_text(workspace: Workspace, version: str, action: str) -> str:
    """What the action-extract.md of the version before says of the change, where progtrain wrote the script."""
    if action == BY_HAND or version_number(version) == 1:
        return "the baseline" if version_number(version) == 1 else "edited by hand"
    text = _read(workspace, version_id(version_number(version) - 1), "action-extract.md")
    match = re.search(r"^[\s#*\-|`]*Change[\s*`]*:[\s*]*(.+)$", text, flags=re.MULTILINE)
    return match[1].strip() if match else action


def _read(workspace: Workspace, version: str, name: str) -> str:
    path = workspace.artifacts(version) / name
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
