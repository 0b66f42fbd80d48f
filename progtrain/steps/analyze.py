"""Step 3: compare a version with its parent, diagnose it, and write down why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from progtrain.curves import Curves, latest_metrics_csv, read_curves
from progtrain.diagnosis import Evidence, diagnose
from progtrain.diagnosis.integrity import leaked
from progtrain.errors import EvaluationError
from progtrain.evaluation.scoring.comparison import compare
from progtrain.evaluation.yardstick.protocol import USER_METRICS
from progtrain.predictions import FILE_NAME, Predictions, read_predictions
from progtrain.prepdata import class_names
from progtrain.records import WITHOUT_EFFECT, Comparison, Finding, MetricValue
from progtrain.reporting.analysis import Analysis, Measured, render_analysis
from progtrain.reporting.evidence import Answers
from progtrain.reporting.pictures import Picture, draw_answers, draw_deltas
from progtrain.reporting.plots import draw_curves
from progtrain.reporting.story import read_change
from progtrain.script.editing.versioning import body, get_constant, set_constant
from progtrain.step_records import (
    ACTIVATIONS,
    AGREEMENT,
    WEIGHTS,
    ActivationsRecord,
    AgreementRecord,
    AnalyzeRecord,
    EvaluateRecord,
    WeightsRecord,
)
from progtrain.steps.capturing import captured
from progtrain.steps.context import Context
from progtrain.steps.lineage import barred, history, parent_of
from progtrain.steps.repeats import training_noise
from progtrain.tasks import task_of
from progtrain.workspace import now, version_number, write_atomic

CURVES = "curves.png"


def analyze(context: Context, version: str) -> None:
    """Write result-analysis.md and the pictures beside it."""
    workspace = context.workspace
    for name in ("analyze", "choose"):
        workspace.forget(name, version)
    started_at = now()
    curves = _curves(context, version)
    comparison = _comparison(context, version, parent_of(context, version))
    findings = _findings(context, version, curves, comparison)
    home = workspace.artifacts(version)
    analysis = _analysis(context, version, curves, comparison, findings)
    answers = analysis.answers
    pictures = _draw(home, analysis, answers)
    page = home / "result-analysis.md"
    write_atomic(page, render_analysis(analysis, answers, pictures))
    record = AnalyzeRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=workspace.script_sha256(version),
        outputs=tuple(workspace.relative(path) for path in (page, *_drawn(home, pictures))),
        comparison=comparison,
        findings=findings,
        best_so_far=_best_so_far(context, version, comparison),
    )
    workspace.write_record(record, "analyze", version)
    context.say(_headline(context, version, _measured(context, version), comparison))


def _draw(home: Path, analysis: Analysis, answers: Answers) -> tuple[Picture, ...]:
    drawn = [Picture(CURVES, "learning curves", draw_curves(home / CURVES, analysis.now.version, analysis.curves))]
    if analysis.now.predictions is not None:
        drawn += draw_answers(home, analysis.now.predictions, task_of(analysis.task_type), analysis.names)
    return (*drawn, *draw_deltas(home, answers.group))


def _drawn(home: Path, pictures: tuple[Picture, ...]) -> tuple[Path, ...]:
    return tuple(home / picture.name for picture in pictures if picture.failure is None)


def _measured(context: Context, version: str) -> Measured:
    record = context.workspace.read_record(EvaluateRecord, "evaluate", version)
    if record is None:
        raise EvaluationError(f"{version} has not been evaluated; `progtrain evaluate` does that step.")
    return Measured(version, record.score, _predictions(context, version), record.reasons)


def _predictions(context: Context, version: str) -> Predictions | None:
    path = context.workspace.artifacts(version) / FILE_NAME
    return read_predictions(path) if path.is_file() else None


def _curves(context: Context, version: str) -> Curves:
    path = latest_metrics_csv(context.workspace.artifacts(version))
    return Curves({}) if path is None else read_curves(path)


def _earlier(context: Context, version: str | None) -> Measured | None:
    """A version to compare with, as it was measured; None for the parent of v001, and where its records are lost."""
    if version is None or context.workspace.read_record(EvaluateRecord, "evaluate", version) is None:
        return None
    return _measured(context, version)


def _primary(context: Context, measured: Measured) -> MetricValue:
    name = context.rules.eval_config.primary
    return measured.score.metric(name) or MetricValue(name=name, value=None, higher_is_better=True)


def _comparison(context: Context, version: str, against: str | None) -> Comparison:
    measured, parent = _measured(context, version), _earlier(context, against)
    if measured.predictions is None:
        raise EvaluationError(f"{version} left no {FILE_NAME}; `progtrain evaluate` does that step.")
    comparison = compare(
        None if parent is None else parent.predictions,
        measured.predictions,
        None if parent is None else _primary(context, parent),
        _primary(context, measured),
        task_of(context.loop.task_type),
        context.workspace.root / USER_METRICS,
        context.rules.seed,
        training_noise(context),
    )
    if against is not None and comparison.difference in (None, 0) and _same_weights(context, version, against):
        return comparison.model_copy(update={"verdict": WITHOUT_EFFECT})
    if comparison.verdict in ("improved", "regressed") and _version_of_same_code(context, version):
        return comparison.model_copy(update={"verdict": "within noise"})
    return comparison


def _version_of_same_code(context: Context, version: str) -> str | None:
    """An earlier version whose script is this one's, but for VERSION: a change that was taken back is no news."""
    workspace = context.workspace
    code = _code(workspace.read_script(version))
    earlier = [other for other in workspace.versions() if version_number(other) < version_number(version)]
    return next((other for other in earlier if _code(workspace.read_script(other)) == code), None)


def _code(source: str) -> str:
    own = body(source)
    return own if get_constant(own, "VERSION") is None else set_constant(own, "VERSION", "")


def _same_weights(context: Context, version: str, other: str) -> bool:
    """Whether both were trained to the same weights, bit for bit."""
    first, second = (context.workspace.read_record(WeightsRecord, WEIGHTS, each) for each in (version, other))
    return first is not None and second is not None and first.sha256 is not None and first.sha256 == second.sha256


def _best_so_far(context: Context, version: str, comparison: Comparison) -> str:
    """See AnalyzeRecord. What may not be promoted is no improvement of anything."""
    earlier = [other for other in context.workspace.versions() if version_number(other) < version_number(version)]
    if not earlier:
        return version
    before = context.workspace.read_record(AnalyzeRecord, "analyze", earlier[-1])
    best = (before.best_so_far if before else None) or earlier[0]
    held_against = _earlier(context, best)
    if barred(context, version):
        return best
    if held_against is None or barred(context, best):
        return version
    if not _primary(context, _measured(context, version)).better_than(_primary(context, held_against)):
        return best
    if parent_of(context, version) != best:
        comparison = _comparison(context, version, best)
    return version if comparison.verdict == "improved" else best


def _findings(context: Context, version: str, curves: Curves, comparison: Comparison) -> tuple[Finding, ...]:
    *earlier, own = history(context, version)
    activations = context.workspace.read_record(ActivationsRecord, ACTIVATIONS, version)
    evidence = Evidence(
        curves=curves,
        snapshot=captured(context, version),
        predictions=_predictions(context, version),
        task_type=context.loop.task_type,
        comparison=comparison,
        history=(*earlier, own.model_copy(update={"verdict": comparison.verdict})),
        inputs=_sample_inputs(context, version),
        dead_shares=() if activations is None else activations.dead_shares,
    )
    return (*leaked(evidence.snapshot), *diagnose(evidence))


def _sample_inputs(context: Context, version: str) -> NDArray[np.floating] | None:
    """The inputs of infer_samples, where they are plain numbers of one shape."""
    folder = context.workspace.artifacts(version) / "infer_samples"
    try:
        rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/input.json"))]
        rows += [np.loadtxt(path, delimiter=",", skiprows=1) for path in sorted(folder.glob("*/input.csv"))]
        inputs = np.asarray(rows, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return inputs if inputs.size else None


def _analysis(
    context: Context, version: str, curves: Curves, comparison: Comparison, findings: tuple[Finding, ...]
) -> Analysis:
    primary = context.rules.eval_config.primary
    metas = sorted((context.workspace.artifacts(version) / "infer_samples").glob("*/meta.json"))
    return Analysis(
        now=_measured(context, version),
        parent=_earlier(context, parent_of(context, version)),
        change=read_change(context.workspace, version, primary).text,
        task_type=context.loop.task_type,
        primary=primary,
        comparison=comparison,
        curves=curves,
        findings=findings,
        sample_ids=tuple(str(json.loads(meta.read_text(encoding="utf-8"))["sample_id"]) for meta in metas),
        names=class_names(context.workspace.prepdata(context.loop.dataset_id)),
        agreement=context.workspace.read_record(AgreementRecord, AGREEMENT, version),
    )


def _headline(context: Context, version: str, measured: Measured, comparison: Comparison) -> str:
    values = "  ".join(f"{m.name} {m.value:.4g}" for m in measured.score.metrics if m.value is not None)
    same = ": the trained weights are the parent's, bit for bit" if comparison.verdict == WITHOUT_EFFECT else ""
    code = _version_of_same_code(context, version)
    same = f": its script is that of {code}" if code and not same else same
    return f"{version}  {values}  ({comparison.verdict}{same})"
