"""The leaderboard: candidates ranked by the primary metric, and leaderboard.csv as the written rules have it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from progtrain.errors import ReportError
from progtrain.records import EvalScore, MetricValue

FIXED_COLUMNS: Final = ("version_id", "dataset_id", "created_at", "latency_ms", "artifact_relpath")


@dataclass(frozen=True)
class Candidate:
    """A version, or a model from elsewhere, before it is ranked.

    Args:
        version_id: `v###`, or the folder's name of a model from elsewhere.
        score: its eval_score.json; None where it was not evaluated.
        artifact_relpath: of the artifact where it now lies, from the report's folder.
        external: whether it comes from elsewhere.
        reason: why there is no score, where that is known.
        disagreement: both figures where its script logs something else than was measured; else empty.
        reasons: metric -> why it has no value.
    """

    version_id: str
    score: EvalScore | None
    artifact_relpath: str
    external: bool = False
    reason: str | None = None
    disagreement: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard; `metrics` holds (column, value), without those that have no value."""

    version_id: str
    dataset_id: str
    created_at: str
    latency_ms: float | None
    artifact_relpath: str
    primary: float | None
    metrics: tuple[tuple[str, float], ...]
    external: bool


@dataclass(frozen=True)
class Leaderboard:
    """Rows best first.

    Args:
        higher_is_better: the direction that they are ranked in.
        barred: versions that are ranked, but never promoted: those above `constraints.max_latency_ms`, and those of
            which the evaluation measures something else than their scripts log.
        champion: the first version of this workspace that is not barred; where all are, the first of them.
    """

    primary: str
    higher_is_better: bool
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]
    barred: frozenset[str]
    champion: str | None

    @property
    def best(self) -> str:
        """The champion.

        Raises:
            ReportError: there is none.
        """
        if self.champion is not None:
            return self.champion
        raise ReportError("Expected at least one version to rank, found none. `progtrain run` makes one.")

    def to_csv(self) -> str:
        """leaderboard.csv: the five fixed columns, then `metric__{name}`; a missing value is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*FIXED_COLUMNS, *self.columns])
        for row in self.rows:
            values = dict(row.metrics)
            latency = "" if row.latency_ms is None else f"{row.latency_ms:.6g}"
            writer.writerow(
                [row.version_id, row.dataset_id, row.created_at, latency, row.artifact_relpath]
                + [repr(values[column]) if column in values else "" for column in self.columns]
            )
        return text.getvalue()


def build_leaderboard(
    candidates: Sequence[Candidate], primary: str, max_latency_ms: float | None = None
) -> Leaderboard:
    """Rank by the primary metric in its own direction; of equal values the earlier candidate stands first.

    Args:
        candidates: versions oldest first, then models from elsewhere.
        primary: name of the metric that ranks.
        max_latency_ms: a version of this workspace that takes longer for one answer may not become the best.
    """
    measured = [candidate for candidate in candidates if _primary(candidate, primary) is not None]
    missing = [candidate for candidate in candidates if _primary(candidate, primary) is None]
    directions = {_direction(candidate, primary) for candidate in measured}
    higher = _direction(measured[0], primary) if measured else False
    ranked = sorted(measured, key=lambda candidate: (-1 if higher else 1) * (_primary(candidate, primary) or 0.0))
    ranked += missing
    held = {candidate.version_id: _why_barred(candidate, max_latency_ms) for candidate in ranked}
    barred = frozenset(version for version, why in held.items() if why is not None)
    best = _champion(ranked, primary, barred)
    rows = tuple(_row(candidate, primary, copied=candidate.version_id == best) for candidate in ranked)
    columns = dict.fromkeys(column for row in map(_columns, candidates) for column, _ in row)
    warnings = [_why_missing(candidate, primary) for candidate in missing]
    warnings += [why for why in held.values() if why is not None]
    if len(directions) > 1:
        warnings.append(f"the versions disagree on higher_is_better of {primary}; ranked with {higher}")
    shown = tuple(columns) or (f"metric__{primary}",)
    return Leaderboard(primary, higher, shown, rows, tuple(warnings), barred, best)


def _champion(ranked: Sequence[Candidate], primary: str, barred: frozenset[str]) -> str | None:
    own = [candidate for candidate in ranked if not candidate.external]
    fit = [c for c in own if c.version_id not in barred and _primary(c, primary) is not None]
    return next((candidate.version_id for candidate in (*fit, *own)), None)


def _why_barred(candidate: Candidate, limit: float | None) -> str | None:
    reasons = []
    if candidate.disagreement:
        reasons.append(f"its script logs something else than is measured: {candidate.disagreement}")
    if limit is not None and not candidate.external and candidate.score is not None:
        taken = candidate.score.latency_ms
        if taken > limit:
            reasons.append(f"one answer takes {taken:.3g} ms, constraints.max_latency_ms allows {limit:g}")
    return f"{candidate.version_id} is ranked but not promoted: {'; '.join(reasons)}" if reasons else None


def _metric(candidate: Candidate, name: str) -> MetricValue | None:
    return None if candidate.score is None else candidate.score.metric(name)


def _primary(candidate: Candidate, name: str) -> float | None:
    metric = _metric(candidate, name)
    return None if metric is None else _finite(metric.value)


def _direction(candidate: Candidate, name: str) -> bool:
    metric = _metric(candidate, name)
    return metric is not None and metric.higher_is_better


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _why_missing(candidate: Candidate, primary: str) -> str:
    if candidate.reason is not None:
        return f"{candidate.version_id} could not be measured, and is ranked last: {candidate.reason}"
    if candidate.score is None:
        return f"{candidate.version_id} was not evaluated: ranked last, without metrics"
    why = f" ({candidate.reasons[primary]})" if primary in candidate.reasons else ""
    return f"{candidate.version_id} has no value of the primary metric {primary!r}{why}: ranked last"


def _row(candidate: Candidate, primary: str, *, copied: bool) -> Row:
    score = candidate.score
    return Row(
        version_id=candidate.version_id,
        dataset_id="" if score is None else score.dataset_id,
        created_at="" if score is None else score.created_at.isoformat(),
        latency_ms=None if score is None else score.latency_ms,
        artifact_relpath=f"Artifacts/{candidate.version_id}/best.ckpt" if copied else candidate.artifact_relpath,
        primary=_primary(candidate, primary),
        metrics=tuple((column, value) for column, value in _columns(candidate) if value is not None),
        external=candidate.external,
    )


def _columns(candidate: Candidate) -> list[tuple[str, float | None]]:
    """A candidate's metrics under their columns' names; a name met again gets the suffix `__{k}`, from 2 on."""
    taken: dict[str, float | None] = {}
    for metric in () if candidate.score is None else candidate.score.metrics:
        column, k = f"metric__{metric.name}", 2
        while column in taken:
            column, k = f"metric__{metric.name}__{k}", k + 1
        taken[column] = _finite(metric.value)
    return list(taken.items())
