"""What the final report says of the hidden test split: validation and test beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.reporting.candidates import read_score
from progtrain.step_records import HiddenRecord
from progtrain.workspace import Workspace, version_id

RECORD = "hidden_split"
"""Name of the record (a HiddenRecord, one a version) that scoring the test split leaves."""


@dataclass(frozen=True)
class SplitRow:
    """One metric of one version on both splits; `difference` is validation minus test."""

    version: str
    metric: str
    validation: float | None
    test: float | None
    difference: float | None


@dataclass(frozen=True)
class HiddenSplit:
    """The page's part on the test split.

    Args:
        rows: by version, the first version first.
        num_samples: of the test split; None where nothing was measured on it.
        notes: what stands in the way of reading the table, in words.
    """

    rows: tuple[SplitRow, ...]
    num_samples: int | None
    notes: tuple[str, ...]


def read_hidden_split(workspace: Workspace, best: str) -> HiddenSplit | None:
    """The first version's and the best one's scores on both splits; None where no test split was scored.

    Args:
        workspace: whose records and scores are read.
        best: the version that stands first.
    """
    found = (workspace.read_record(HiddenRecord, RECORD, version) for version in dict.fromkeys((version_id(1), best)))
    records = [record for record in found if record is not None]
    if not records:
        return None
    measured = [record.measured for record in records if record.measured is not None]
    return HiddenSplit(
        rows=tuple(row for record in records for row in _rows(workspace, record)),
        num_samples=measured[0].score.num_samples if measured else None,
        notes=tuple(_notes(records)),
    )


def _rows(workspace: Workspace, record: HiddenRecord) -> list[SplitRow]:
    score = read_score(workspace.artifacts(record.version))
    rows = []
    for metric in () if record.measured is None else record.measured.score.metrics:
        known = None if score is None else score.metric(metric.name)
        before = None if known is None else known.value
        difference = None if before is None or metric.value is None else before - metric.value
        rows.append(SplitRow(record.version, metric.name, before, metric.value, difference))
    return rows


def _notes(records: list[HiddenRecord]) -> list[str]:
    reasons = dict.fromkeys(record.reason for record in records if record.reason is not None)
    notes = [
        f"{', '.join(record.version for record in records if record.reason == reason)}: {reason}" for reason in reasons
    ]
    measured = {record.version: record.measured for record in records if record.measured is not None}
    if len({each.targets_sha256 for each in measured.values()}) > 1:
        notes.append("the versions' test loaders do not give the same targets; their test values cannot be compared")
    for version, each in measured.items():
        if each.seen_before:
            opened = ", ".join(each.seen_before[:3])
            notes.append(f"{version} opens {opened} on its way to training: the split was not hidden from it")
    return notes
