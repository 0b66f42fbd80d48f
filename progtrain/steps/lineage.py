"""Who descends from whom, and how each of them did: read from the records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from progtrain.evaluation.scoring.names import LOSS, read_name
from progtrain.records import WITHOUT_EFFECT, EvalScore, MetricValue, Proposal
from progtrain.script.settings.knob_values import knob_values
from progtrain.step_records import (
    AGREEMENT,
    AgreementRecord,
    AnalyzeRecord,
    Attempt,
    AuthorRecord,
    EvaluateRecord,
    TrainRecord,
)
from progtrain.steps.context import Context
from progtrain.workspace import version_number

SHARES: Final = frozenset({"accuracy", "exactmatch"})
"""Primary metrics that are a share of the samples, and scatter as one."""


def parent_of(context: Context, version: str) -> str | None:
    """The version this one was made from; for a script written by hand, the version before it."""
    record = context.workspace.read_record(AuthorRecord, "author", version)
    if record is not None and record.script_sha256 == context.workspace.script_sha256(version):
        return record.parent
    earlier = [other for other in context.workspace.versions() if version_number(other) < version_number(version)]
    return earlier[-1] if earlier else None


def primary_of(context: Context, version: str) -> MetricValue | None:
    """A version's value of the primary metric; None where it was not measured."""
    record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
    return None if record is None else record.score.metric(context.rules.eval_config.primary)


def higher_is_better(context: Context, version: str) -> bool:
    """The direction of the primary metric, as `version` was measured by it; up where it was not."""
    primary = primary_of(context, version)
    return primary is None or primary.higher_is_better


def history(context: Context, newest: str) -> tuple[Attempt, ...]:
    """Every version up to and with `newest`, oldest first."""
    limit = version_number(newest)
    return tuple(
        _attempt(context, version) for version in context.workspace.versions() if version_number(version) <= limit
    )


def without_effect_on(parent: str, history: Sequence[Attempt], proposal: Proposal) -> str | None:
    """The version in which the same change did nothing to this parent, or to one of the same weights; else None."""
    known = {attempt.version: attempt for attempt in history}
    same = [parent]
    while (last := known.get(same[-1])) is not None and last.verdict == WITHOUT_EFFECT and last.parent is not None:
        same.append(last.parent)
    for attempt in history:
        alike = attempt.action == proposal.action and {*attempt.touches} == {*proposal.touches}
        if alike and attempt.verdict == WITHOUT_EFFECT and attempt.parent in same:
            return attempt.version
    return None


def too_slow(context: Context, version: str) -> bool:
    """Whether a version answers more slowly than `constraints.max_latency_ms` allows."""
    record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
    limit = context.rules.constraints.max_latency_ms
    return record is not None and limit is not None and record.score.latency_ms > limit


def barred(context: Context, version: str) -> bool:
    """Whether a version may not become the best: it is too slow, or its script logs something else than is measured."""
    agreement = context.workspace.read_record(AgreementRecord, AGREEMENT, version)
    return too_slow(context, version) or (agreement is not None and bool(agreement.disagreement))


def next_parent(context: Context, newest: str) -> str:
    """The version that the next one is made from: the newest, or the best so far where the rules say so.

    Nothing is built on a version that is barred: its nearest ancestor that is not takes its place. Where all are, the
    first one does.
    """
    newest = _free_ancestor(context, newest)
    if context.rules.loop_config.continue_from == "latest":
        return newest
    return _best(context, newest)


def _best(context: Context, newest: str) -> str:
    """Of the versions within a standard error of the best primary metric the one with the best locked loss.

    The one-standard-error rule (Breiman et al. 1984): where few samples cannot tell, the finer measure does.
    """
    primary, scores = context.rules.eval_config.primary, {}
    for version in context.workspace.versions():
        record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
        if record is not None and not barred(context, version) and _value(record.score, primary) is not None:
            scores[version] = record.score
    if not scores:
        return newest
    values = {version: _upward(score, primary) for version, score in scores.items()}
    best = max(values, key=values.__getitem__)
    least = values[best] - _standard_error(scores[best], primary)
    near = [version for version in reversed(scores) if values[version] >= least]
    return max(near, key=lambda version: _upward(scores[version], LOSS))


def _value(score: EvalScore, name: str) -> float | None:
    metric = score.metric(name)
    return None if metric is None or metric.value is None or math.isnan(metric.value) else metric.value


def _upward(score: EvalScore, name: str) -> float:
    """A metric, signed so that more is better; least where it is not known."""
    metric, value = score.metric(name), _value(score, name)
    if metric is None or value is None:
        return -math.inf
    return value if metric.higher_is_better else -value


def _standard_error(score: EvalScore, name: str) -> float:
    """Of a metric that is the share of samples answered right; 0 of any other."""
    value = _value(score, name)
    if value is None or read_name(name).base not in SHARES or not 0 <= value <= 1:
        return 0.0
    return math.sqrt(value * (1 - value) / score.num_samples)


def _free_ancestor(context: Context, version: str) -> str:
    while barred(context, version) and (parent := parent_of(context, version)) is not None:
        version = parent
    return version


def _attempt(context: Context, version: str) -> Attempt:
    workspace = context.workspace
    author = workspace.read_record(AuthorRecord, "author", version)
    trained = workspace.read_record(TrainRecord, "train", version)
    analyzed = workspace.read_record(AnalyzeRecord, "analyze", version)
    primary = primary_of(context, version)
    by_progtrain = author is not None and author.script_sha256 == workspace.script_sha256(version)
    verdict = "first" if analyzed is None else analyzed.comparison.verdict
    # The same change must not be tried again: for the advisor too slow is as bad as worse.
    slowed = primary is not None and verdict != "first" and too_slow(context, version)
    return Attempt(
        version=version,
        parent=parent_of(context, version),
        action=author.action if author is not None and by_progtrain else "by hand",
        parameters=author.parameters if author is not None and by_progtrain else {},
        touches=author.touches if author is not None and by_progtrain else (),
        verdict="regressed" if slowed else verdict,
        primary=None if primary is None else primary.value,
        knobs={} if trained is None else knob_values(trained.snapshot),
    )
