"""result-analysis.md: what changed against the version before, what shows it, and what to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from progtrain.curves import Curves
from progtrain.predictions import Predictions
from progtrain.records import Comparison, EvalScore, Finding, MetricValue
from progtrain.reporting.evidence import Answers, describe_answers
from progtrain.reporting.explanations import EXPLANATIONS
from progtrain.reporting.pictures import Picture
from progtrain.reporting.reading import how_sure, hypotheses_of, read_of_curves, won_and_lost
from progtrain.reporting.rendering import render
from progtrain.reporting.segments import segments
from progtrain.step_records import AgreementRecord
from progtrain.tasks import has_values, task_of
from progtrain.workspace import version_id, version_number

NOTICEABLE_LATENCY = 0.1


@dataclass(frozen=True)
class Measured:
    """A version as it was evaluated; `reasons` says of a metric why it has no value."""

    version: str
    score: EvalScore
    predictions: Predictions | None
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Analysis:
    """What is known of a version once it is evaluated and diagnosed.

    Args:
        now: the version described.
        parent: the version that it was made from; None for v001.
        change: in words, what it changed of its parent.
        task_type: as in stats.json.
        primary: name of the metric that ranks versions.
        comparison: its primary metric against its parent's.
        curves: what its training logged.
        findings: most severe first.
        sample_ids: of infer_samples, in the order of their folders.
        names: of the classes or labels, where the data says them.
        agreement: whether the evaluation measures what the script itself logs.
    """

    now: Measured
    parent: Measured | None
    change: str
    task_type: str
    primary: str
    comparison: Comparison
    curves: Curves
    findings: tuple[Finding, ...]
    sample_ids: tuple[str, ...]
    names: tuple[str, ...] = ()
    agreement: AgreementRecord | None = None

    @property
    def answers(self) -> Answers:
        """What was answered, beside what the parent answered; empty where no answers are on record."""
        if self.now.predictions is None:
            return Answers()
        before = None if self.parent is None else self.parent.predictions
        task = task_of(self.task_type)
        return describe_answers(self.now.predictions, before, self.sample_ids, task, self.names)


@dataclass(frozen=True)
class MetricLine:
    """A metric before and after; `delta` is after less before, `judged` says better, worse or the same."""

    name: str
    before: float | None
    after: float | None
    delta: float | None
    judged: str


def render_analysis(analysis: Analysis, answers: Answers, pictures: Sequence[Picture] = ()) -> str:
    """The page, with the five headings of the written rules.

    Args:
        analysis: what is known of the version.
        answers: `analysis.answers`, which take a while to work out.
        pictures: that stand beside the page.
    """
    number = version_number(analysis.now.version)
    lines = _metric_lines(analysis)
    score = analysis.now.score
    return render(
        "result-analysis.md.j2",
        version=analysis.now.version,
        before=None if number == 1 else version_id(number - 1),
        parent=None if analysis.parent is None else analysis.parent.version,
        change=analysis.change,
        primary=analysis.primary,
        value=score.metric(analysis.primary),
        num_samples=score.num_samples,
        comparison=analysis.comparison,
        sure=how_sure(analysis.comparison, score.num_samples),
        lines=lines,
        reasons=analysis.now.reasons,
        trade_offs=_trade_offs(lines, analysis),
        segments=segments(analysis.curves.valid_loss),
        curves=read_of_curves(analysis.curves),
        answers=answers,
        by_distance=_by_distance(analysis.task_type),
        won_and_lost=won_and_lost(answers.group),
        hypotheses=hypotheses_of(answers),
        findings=analysis.findings,
        explanations=EXPLANATIONS,
        pictures=pictures,
        agreement=analysis.agreement,
    )


def _by_distance(task_type: str) -> bool:
    """Whether an answer is nearer or further off rather than right or wrong."""
    task = task_of(task_type)
    return has_values(task) or task == "language-modelling"


def _metric_lines(analysis: Analysis) -> tuple[MetricLine, ...]:
    earlier = None if analysis.parent is None else analysis.parent.score
    return tuple(
        _metric_line(metric, None if earlier is None else earlier.metric(metric.name))
        for metric in analysis.now.score.metrics
    )


def _metric_line(now: MetricValue, before: MetricValue | None) -> MetricLine:
    if before is None or before.value is None or now.value is None:
        return MetricLine(now.name, None if before is None else before.value, now.value, None, "")
    judged = "better" if now.better_than(before) else "worse" if before.better_than(now) else "same"
    return MetricLine(now.name, before.value, now.value, now.value - before.value, judged)


def _trade_offs(lines: Sequence[MetricLine], analysis: Analysis) -> tuple[str, ...]:
    """What got worse while something else got better."""
    found = []
    better = [line.name for line in lines if line.judged == "better"]
    worse = [line.name for line in lines if line.judged == "worse"]
    if better and worse:
        found.append(f"{', '.join(better)} got better while {', '.join(worse)} got worse.")
    if analysis.parent is not None and analysis.parent.score.latency_ms > 0:
        now, before = analysis.now.score.latency_ms, analysis.parent.score.latency_ms
        if abs(now / before - 1) >= NOTICEABLE_LATENCY:
            found.append(f"One answer takes {now:.3g} ms, {now / before - 1:+.0%} against {before:.3g} ms.")
    return tuple(found)
