"""What 03_eval.py runs: measure versions by the locked protocol and leave their scores, predictions and samples.

This process never runs a version's script: `answering` does that in one of its own, and hands over what was answered.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.agreeing import Heard, agreement_with_script, measure_answers
from progtrain.evaluation.asking.answering import Question, answers_of_exported, answers_of_version
from progtrain.evaluation.asking.logged import logged_at
from progtrain.evaluation.asking.snapshots import snapshot_of
from progtrain.evaluation.asking.trained_settings import hold_settings_of
from progtrain.evaluation.asking.weights import weights_sha256
from progtrain.evaluation.scoring.agreement import in_words
from progtrain.evaluation.showing.presentation import read_names
from progtrain.evaluation.showing.samples import Setting, write_samples
from progtrain.evaluation.yardstick.batches import Split, by_convention
from progtrain.evaluation.yardstick.fingerprints import hold_data
from progtrain.evaluation.yardstick.listing import Listed, read_listing
from progtrain.evaluation.yardstick.protocol import Protocol, hold_protocol, protocol_of, read_protocol
from progtrain.evaluation.yardstick.stated import Loss, Outputs, Predict, Yardstick
from progtrain.predictions import FILE_NAME
from progtrain.ranking import rules_of
from progtrain.records import EvalScore
from progtrain.step_records import (
    ACTIVATIONS,
    AGREEMENT,
    WEIGHTS,
    ActivationsRecord,
    LoopRecord,
    WeightsRecord,
)
from progtrain.tasks import Task
from progtrain.workspace import Workspace, now, write_atomic

SCORE = "eval_score.json"
SAMPLES = "infer_samples"


def main(
    task: Task,
    directions: Mapping[str, bool],
    predict: Predict,
    loss: Loss,
    split: Split = by_convention,
    outputs: Outputs | None = None,
    logged: Mapping[str, str] | None = None,
) -> None:
    """The command line of 03_eval.py, run in a workspace; a user error ends it with a message and status 1.

    Args:
        task: what the targets are.
        directions: metric -> whether higher is better.
        predict: (model, inputs of a batch) -> what is served.
        loss: (raw outputs, targets) -> scalar, the mean over the samples given.
        split: (a batch of the validation loader) -> its inputs and its targets.
        outputs: (model, inputs of a batch) -> what the loss and the metrics see; the model's `forward` where None.
        logged: metric -> the name under which the scripts log it of the validation set themselves.
    """
    parser = argparse.ArgumentParser(description="Measure versions on the validation set.")
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="v001 …")
    parser.add_argument("--lock", action="store_true", help="measure nothing: lock what every version is measured by")
    parser.add_argument("--model", type=Path, help="folder with an exported model (*.pt2) to measure, not best.ckpt")
    parser.add_argument("--output", type=Path, help="with --model: the file for its score")
    options = parser.parse_args()
    if (options.model is None) != (options.output is None) or (options.model and len(options.versions) > 1):
        parser.error("--model and --output go together, with one version")
    yardstick = Yardstick(task, directions, predict, loss, split, outputs, logged or {})
    try:
        workspace = Workspace(Path.cwd())
        for version in options.versions:
            if options.lock:
                print(f"locked: {rehearse(workspace, version, yardstick).num_samples} validation samples")
                continue
            if options.model is None:
                score = evaluate(workspace, version, yardstick)
            else:
                score = rescore(workspace, version, yardstick, options.model, options.output)
            print(f"{version}: " + ", ".join(f"{metric.name} {metric.value}" for metric in score.metrics))
    except ProgtrainError as error:
        sys.exit(f"\n{error}")  # a paragraph of its own, which the loop passes on whole


def rehearse(workspace: Workspace, version: str, yardstick: Yardstick) -> Protocol:
    """Lock the yardstick before anything is trained: ask the untrained model once, measure it, forget the values.

    They are held against what the script's own validation logs of the same untrained weights.

    Raises:
        ProgtrainError: it could not be measured, or not as the script does, which would otherwise be found out after
            the training.
    """
    question, listing = _question(workspace, version, yardstick)
    heard = measure_answers(question, listing, answers_of_version(question, trained=False))
    logged = {name: (value,) for name, value in heard.circumstances.logged.items()}
    agreement = agreement_with_script(question, heard, logged, trained=False)
    if agreement.disagreeing:
        raise EvaluationError(f"Before any training, {in_words(agreement)}")
    protocol = _protocol(question, heard)
    hold_protocol(workspace, protocol)
    workspace.write_record(agreement, AGREEMENT)
    return protocol


def evaluate(workspace: Workspace, version: str, yardstick: Yardstick) -> EvalScore:
    """Measure a version's best.ckpt; write its predictions, infer_samples and, last, eval_score.json.

    Raises:
        ProgtrainError: it cannot be measured, or not by the locked protocol, or the first version not as its script
            does; nothing is changed then.
    """
    question, listing = _question(workspace, version, yardstick)
    heard = measure_answers(question, listing, answers_of_version(question, trained=True))
    checkpoint = workspace.artifacts(version) / "best.ckpt"
    hold_settings_of(checkpoint, question.rules)
    logged = logged_at(workspace.artifacts(version), checkpoint)
    agreement = agreement_with_script(question, heard, logged, trained=True)
    if agreement.disagreeing and version == workspace.versions()[0]:
        raise EvaluationError(f"With best.ckpt, {in_words(agreement)}")
    protocol, score = _protocol(question, heard), _score(question, heard)
    staging = workspace.version_state(version) / "evaluation"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    heard.measured.predictions.write(staging / FILE_NAME)
    _write_samples(question, listing, heard, protocol.sample_indices, staging / SAMPLES)
    hold_protocol(workspace, protocol)
    workspace.write_record(ActivationsRecord(dead_shares=heard.circumstances.dead_shares), ACTIVATIONS, version)
    workspace.write_record(WeightsRecord(sha256=weights_sha256(checkpoint)), WEIGHTS, version)
    workspace.write_record(agreement, AGREEMENT, version)
    _publish(staging, workspace.artifacts(version), score)
    return score


def rescore(workspace: Workspace, version: str, yardstick: Yardstick, model: Path, output: Path) -> EvalScore:
    """Measure a model that was exported from a version, and write its score.

    Args:
        workspace: where the version is.
        version: whose script gives the validation set.
        yardstick: by what it is measured.
        model: folder with the exported model.
        output: file for the score, in the form of eval_score.json.

    Raises:
        ProgtrainError: it cannot be measured, or not by the locked protocol; nothing is written then.
    """
    question, listing = _question(workspace, version, yardstick)
    heard = measure_answers(question, listing, answers_of_exported(question, model.resolve()))
    hold_protocol(workspace, _protocol(question, heard))
    score = _score(question, heard)
    write_atomic(output.resolve(), score.model_dump_json(indent=2) + "\n")
    return score


def _question(workspace: Workspace, version: str, yardstick: Yardstick) -> tuple[Question, tuple[Listed, ...] | None]:
    """What is to be asked, and the data set's listing; its files have been held against the lock."""
    loop = workspace.read_record(LoopRecord, "loop")
    if loop is None:
        raise EvaluationError(f"Expected a loop begun in {workspace.root}, got none. Begin it with `progtrain run`.")
    if not workspace.script(version).is_file():
        known = ", ".join(workspace.versions())
        raise EvaluationError(f"Expected a version that has a script, got {version!r}. Name one of: {known}.")
    hold_data(workspace, loop.dataset_id)
    locked = read_protocol(workspace)
    size = None if locked is None else locked.batch_size
    rules, snapshot = rules_of(workspace), snapshot_of(workspace, version)
    question = Question(workspace, version, yardstick, rules, loop.dataset_id, snapshot, size)
    return question, read_listing(workspace, loop.dataset_id)


def _protocol(question: Question, heard: Heard) -> Protocol:
    stated = question.yardstick
    return protocol_of(
        question.workspace,
        question.rules,
        question.dataset_id,
        stated.task,
        stated.directions,
        heard.measured.predictions,
        question.batch_size if heard.circumstances.batch_size is None else heard.circumstances.batch_size,
    )


def _score(question: Question, heard: Heard) -> EvalScore:
    return EvalScore(
        dataset_id=question.dataset_id,
        created_at=now(),
        num_samples=len(heard.measured.predictions.sample_ids),
        metrics=heard.measured.metrics,
        latency_ms=heard.circumstances.latency_ms,
    )


def _write_samples(
    question: Question, listing: Sequence[Listed] | None, heard: Heard, indices: Sequence[int], folder: Path
) -> None:
    told = heard.circumstances
    setting = Setting(
        version=question.version,
        dataset_id=question.dataset_id,
        seed=question.rules.seed,
        batch_size=told.batch_size,
        device=told.device,
        configuration=told.configuration,
        names=read_names(question.workspace.prepdata(question.dataset_id)),
    )
    predictions = heard.measured.predictions
    write_samples(folder, question.yardstick.task, indices, told.samples, predictions, listing, setting)
    for number, request in enumerate(told.requests, start=1):
        if request:
            (folder / f"{number:04d}" / "request.json").write_text(request, encoding="utf-8")


def _publish(staging: Path, artifacts: Path, score: EvalScore) -> None:
    """Move what was staged into the artifacts: the score goes first and comes last, so a kill leaves none."""
    (artifacts / SCORE).unlink(missing_ok=True)
    shutil.rmtree(artifacts / SAMPLES, ignore_errors=True)
    (staging / FILE_NAME).replace(artifacts / FILE_NAME)
    (staging / SAMPLES).replace(artifacts / SAMPLES)
    staging.rmdir()
    write_atomic(artifacts / SCORE, score.model_dump_json(indent=2) + "\n")
