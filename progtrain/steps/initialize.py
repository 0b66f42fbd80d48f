"""Step 0: fix the data set, audit the baseline once, make v001 of it, and lock what versions are measured by."""

from __future__ import annotations

import json

from progtrain.errors import WorkspaceError
from progtrain.evaluation.scoring.directions import check_names
from progtrain.prepdata import Stats, read_stats
from progtrain.script.auditing.audit import Audit, render_patch_report
from progtrain.script.editing.versioning import Header, with_header
from progtrain.script.reading.index import parse
from progtrain.step_records import AuthorRecord, LoopRecord
from progtrain.steps.baseline import FIRST, Baseline, prepare_baseline
from progtrain.steps.capturing import captured, keep, told_of
from progtrain.steps.context import Context
from progtrain.steps.offers import check_action_names
from progtrain.steps.yardstick import lock_yardstick
from progtrain.tasks import task_of
from progtrain.workspace import BASELINE, now, sha256_of, write_atomic


def initialize(context: Context, handed_over: str | None = None) -> None:
    """Do Step 0, or see that it was done for the same data set.

    Args:
        context: the opened workspace.
        handed_over: the dataset_id of `--dataset-id`, which outranks every other source.

    Raises:
        RulesError: the rules name an action that there is none of.
        WorkspaceError: no data set, no script to begin from, or another data set than the locked one.
        CaptureError: the baseline does not reach `Trainer.fit`, patched or not.
        ScriptError: something that its training must leave behind is missing, and cannot be added.
        UnknownNameError: stats.json names no task that is known, or the rules a metric that there is none of.
        EvaluationError: the evaluation does not work.
        ProtocolChangedError: the evaluation, or the data, are not what was locked.
    """
    check_action_names(context.rules)
    _find_a_script(context)
    locked = context.workspace.read_record(LoopRecord, "loop")
    dataset_id = _dataset_id(context, handed_over, locked)
    stats = read_stats(context.workspace.prepdata(dataset_id))
    task = task_of(stats.task_type)
    if not context.workspace.eval_script.exists():
        check_names(context.rules.eval_config, task)
    baseline = None if context.workspace.versions() else _prepare_first_version(context, dataset_id, stats)
    if locked is None:
        context.workspace.write_record(_loop_record(context, dataset_id, stats, baseline), "loop")
    lock_yardstick(context)


def _loop_record(context: Context, dataset_id: str, stats: Stats, baseline: Baseline | None) -> LoopRecord:
    """What the loop is locked to; counts that stats.json lacks are those of the loaders."""
    left = () if baseline is None else tuple(each.message for each in baseline.audit.issues if not each.patched)
    num_train, num_valid = stats.num_train, stats.num_valid
    snapshot = captured(context, context.workspace.versions()[-1])
    num_train = num_train if num_train is not None or snapshot.train is None else snapshot.train.size
    num_valid = num_valid if num_valid is not None or snapshot.valid is None else snapshot.valid.size
    return LoopRecord(
        dataset_id=dataset_id,
        task_type=stats.task_type,
        num_train=num_train,
        num_valid=num_valid,
        patched=bool(left),
        started_at=now(),
        warnings=(*left, *told_of(snapshot, stats.num_valid)),
    )


def _find_a_script(context: Context) -> None:
    workspace = context.workspace
    if not workspace.versions() and not workspace.baseline_script.is_file():
        raise WorkspaceError(
            f"Expected {workspace.baseline_script.name} or a versioned 02_train_v###.py in {workspace.root}, "
            "found neither. Put your training script there under that name."
        )


def _dataset_id(context: Context, handed_over: str | None, locked: LoopRecord | None) -> str:
    if locked is not None:
        if handed_over not in (None, locked.dataset_id):
            raise WorkspaceError(
                f"This loop is locked to data set {locked.dataset_id!r}, got {handed_over!r}. "
                "Versions measured on different data cannot be compared: use another workspace for it."
            )
        return locked.dataset_id
    named = handed_over or _from_baseline_spec(context) or context.rules.dataset_config.dataset_id
    if named is None:
        base = context.workspace.root / "dataset" / "prepdata"
        raise WorkspaceError(
            "No dataset_id: expected --dataset-id, 'dataset_id' in the baseline's spec.json, or "
            f"dataset_config.dataset_id in user_defined_rules.json. Name one of the folders below {base}."
        )
    return named


def _from_baseline_spec(context: Context) -> str | None:
    path = context.workspace.artifacts(BASELINE) / "spec.json"
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = spec.get("dataset_id") if isinstance(spec, dict) else None
    return found if isinstance(found, str) else None


def _prepare_first_version(context: Context, dataset_id: str, stats: Stats) -> Baseline:
    source = context.workspace.read_script(BASELINE)
    parse(source)
    prepared = prepare_baseline(context, source, dataset_id)
    _record_patch(context, prepared.audit, source, told_of(prepared.snapshot, stats.num_valid))
    header = Header(
        version=FIRST,
        parent=BASELINE,
        action="baseline",
        goal="a common starting point",
        change="the audited baseline with VERSION set",
        expected="the baseline's own figures",
    )
    first = with_header(prepared.first, header)
    keep(context, FIRST, first, prepared.snapshot)
    _write_first(context, first)
    return prepared


def _record_patch(context: Context, audited: Audit, source: str, told: tuple[str, ...]) -> None:
    """The report before the patch: killed in between, the audit finds the same again."""
    workspace = context.workspace
    report = workspace.artifacts(BASELINE) / "_tests" / "baseline_patch_report.md"
    if audited.source != source or not report.exists():
        write_atomic(report, render_patch_report(audited, told))
    if audited.source != source:
        write_atomic(workspace.baseline_script, audited.source)
        context.say(f"baseline patched, see {workspace.relative(report)}")


def _write_first(context: Context, source: str) -> None:
    record = AuthorRecord(
        version=FIRST,
        parent=None,
        parent_sha256=None,
        action="baseline",
        parameters={},
        touches=(),
        script_sha256=sha256_of(source),
        created_at=now(),
    )
    context.workspace.write_record(record, "author", FIRST)
    write_atomic(context.workspace.script(FIRST), source)
