"""Who descends from whom, and how each of them did: read from the records."""

from __future__ import annotations

from progtrain.evaluation.names import LOSS
from progtrain.records import MetricValue
from progtrain.script.knob_values import knob_values
from progtrain.step_records import AnalyzeRecord, Attempt, AuthorRecord, EvaluateRecord, TrainRecord
from progtrain.steps.context import Context
from progtrain.workspace import version_number


def parent_of(context: Context, version: str) -> str | None:
    """The version this one was made from; for a script written by hand, the version before it."""
    record = context.workspace.read_record(AuthorRecord, "author", version)
    if record is not None and record.script_sha256 == context.workspace.script_sha256(version):
        return record.parent
    earlier = [other for other in context.workspace.versions() if version_number(other) < version_number(version)]
    return earlier[-1] if earlier else None


def metric_of(context: Context, version: str, name: str) -> MetricValue | None:
    """A version's value of a metric; None where it was not measured."""
    record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
    return None if record is None else record.score.metric(name)


def primary_of(context: Context, version: str) -> MetricValue | None:
    """A version's value of the primary metric; None where it was not measured."""
    return metric_of(context, version, context.rules.eval_config.primary)


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


def too_slow(context: Context, version: str) -> bool:
    """Whether a version answers more slowly than `constraints.max_latency_ms` allows."""
    record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
    limit = context.rules.constraints.max_latency_ms
    return record is not None and limit is not None and record.score.latency_ms > limit


def next_parent(context: Context, newest: str) -> str:
    """The version that the next one is made from: the newest, or the best so far where the rules say so.

    Of versions that are equally good in the primary metric and the locked loss the newest goes on.

    Nothing is built on a version that is too slow: its nearest ancestor that is not takes its place. Where all are,
    the first one does.
    """
    newest = _fast_ancestor(context, newest)
    if context.rules.loop_config.continue_from == "latest":
        return newest
    best = newest
    for version in context.workspace.versions():
        if not too_slow(context, version) and _better(context, version, best):
            best = version
    return best


def _better(context: Context, version: str, other: str) -> bool:
    """Whether a version's primary metric is better, or as good at a better locked loss: few samples make many ties."""
    for name in (context.rules.eval_config.primary, LOSS):
        value, held_against = metric_of(context, version, name), metric_of(context, other, name)
        if value is None or held_against is None:
            return value is not None and held_against is None
        if value.better_than(held_against) or held_against.better_than(value):
            return value.better_than(held_against)
    return False


def _fast_ancestor(context: Context, version: str) -> str:
    while too_slow(context, version) and (parent := parent_of(context, version)) is not None:
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
