"""What 03_eval.py runs: measure versions by the locked protocol and leave their scores, predictions and samples."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.batches import Split, ValidationSet, by_convention
from progtrain.evaluation.inference import Loss, Predict
from progtrain.evaluation.listing import Listed, read_listing
from progtrain.evaluation.measuring import Measured, Yardstick, measure
from progtrain.evaluation.models import load_exported, load_weights
from progtrain.evaluation.presentation import read_names
from progtrain.evaluation.protocol import USER_METRICS, Protocol, hold_protocol, protocol_of
from progtrain.evaluation.samples import Setting, write_samples
from progtrain.predictions import FILE_NAME
from progtrain.records import EvalScore, LoopRecord
from progtrain.rules import Rules, read_rules
from progtrain.script.capture import CapturedFit, capture_fit
from progtrain.script.knob_values import knob_values
from progtrain.script.sandbox import scratch_view
from progtrain.tasks import Task
from progtrain.workspace import Workspace, now, write_atomic

SCORE = "eval_score.json"
SAMPLES = "infer_samples"
_MAIN_KNOBS = ("optimizer", "lr", "weight_decay", "scheduler", "batch_size", "epochs", "dropout", "width", "precision")


def main(
    task: Task, directions: Mapping[str, bool], predict: Predict, loss: Loss, split: Split = by_convention
) -> None:
    """The command line of 03_eval.py, run in a workspace; a user error ends it with a message and status 1.

    Args:
        task: what the targets are.
        directions: metric -> whether higher is better.
        predict: (model, inputs of a batch) -> what is served.
        loss: (raw outputs, targets) -> scalar, the mean over the samples given.
        split: (a batch of the validation loader) -> its inputs and its targets.
    """
    parser = argparse.ArgumentParser(description="Measure versions on the validation set.")
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="v001 …")
    parser.add_argument("--model", type=Path, help="folder with an exported model (*.pt2) to measure, not best.ckpt")
    parser.add_argument("--output", type=Path, help="with --model: the file for its score")
    options = parser.parse_args()
    if (options.model is None) != (options.output is None) or (options.model and len(options.versions) > 1):
        parser.error("--model and --output go together, with one version")
    yardstick = Yardstick(task, directions, predict, loss, split)
    try:
        workspace = Workspace(Path.cwd())
        for version in options.versions:
            if options.model is None:
                score = evaluate(workspace, version, yardstick)
            else:
                score = rescore(workspace, version, yardstick, options.model, options.output)
            print(f"{version}: " + ", ".join(f"{metric.name} {metric.value}" for metric in score.metrics))
    except ProgtrainError as error:
        sys.exit(str(error))


def evaluate(workspace: Workspace, version: str, yardstick: Yardstick) -> EvalScore:
    """Measure a version's best.ckpt; write its predictions, infer_samples and, last, eval_score.json.

    Raises:
        ProgtrainError: it cannot be measured, or not by the locked protocol; nothing is changed then.
    """
    with _opened(workspace, version, yardstick) as case:
        device = case.captured.trainer.strategy.root_device
        model = case.captured.model.to(device)
        load_weights(model, workspace.artifacts(version) / "best.ckpt")
        measured = _measure(case, model, device)
        protocol, score = _protocol(case, measured), _score(case, measured)
        staging = workspace.version_state(version) / "evaluation"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        measured.predictions.write(staging / FILE_NAME)
        _write_samples(case, measured, protocol.sample_indices, staging / SAMPLES)
        hold_protocol(workspace, protocol)
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
    model, output = model.resolve(), output.resolve()
    with _opened(workspace, version, yardstick) as case:
        measured = _measure(case, load_exported(model), torch.device("cpu"))
        hold_protocol(workspace, _protocol(case, measured))
        score = _score(case, measured)
        write_atomic(output, score.model_dump_json(indent=2) + "\n")
    return score


@dataclass(frozen=True)
class _Case:
    """One version, its script captured."""

    workspace: Workspace
    version: str
    yardstick: Yardstick
    rules: Rules
    dataset_id: str
    listing: tuple[Listed, ...] | None
    captured: CapturedFit
    data: ValidationSet


@contextlib.contextmanager
def _opened(workspace: Workspace, version: str, yardstick: Yardstick) -> Iterator[_Case]:
    """Capture the version's script in a scratch view, which lasts as long as its data set may read files."""
    loop = workspace.read_record(LoopRecord, "loop")
    if loop is None:
        raise EvaluationError(f"Expected a loop begun in {workspace.root}, got none. Begin it with `progtrain run`.")
    script = workspace.script(version)
    if not script.is_file():
        known = ", ".join(workspace.versions())
        raise EvaluationError(f"Expected a version that has a script, got {version!r}. Name one of: {known}.")
    rules, listing = read_rules(workspace.root), read_listing(workspace, loop.dataset_id)
    source = script.read_text(encoding="utf-8")
    with scratch_view(workspace, version, source) as view, contextlib.chdir(view):
        captured = capture_fit(view / script.name)
        data = ValidationSet(_validation_loader(captured, script.name), yardstick.split)
        yield _Case(workspace, version, yardstick, rules, loop.dataset_id, listing, captured, data)


def _validation_loader(captured: CapturedFit, script: str) -> DataLoader[Any]:
    loader = captured.valid_loader
    if isinstance(loader, DataLoader):
        return loader
    found = "none" if loader is None else f"a {type(loader).__name__}"
    raise EvaluationError(
        f"Expected one validation DataLoader in {script}, got {found}. Give it to Trainer.fit or to the DataModule."
    )


def _measure(case: _Case, model: nn.Module, device: torch.device) -> Measured:
    pl.seed_everything(case.rules.seed, verbose=False)  # a validation transform may draw random numbers
    ids = None if case.listing is None else [listed.sample_id for listed in case.listing]
    return measure(model, case.data, ids, case.yardstick, case.workspace.root / USER_METRICS, device)


def _protocol(case: _Case, measured: Measured) -> Protocol:
    stated = case.yardstick
    return protocol_of(
        case.workspace, case.rules, case.dataset_id, stated.task, stated.directions, measured.predictions
    )


def _score(case: _Case, measured: Measured) -> EvalScore:
    return EvalScore(
        dataset_id=case.dataset_id,
        created_at=now(),
        num_samples=len(measured.predictions.sample_ids),
        metrics=measured.metrics,
        latency_ms=measured.latency_ms,
    )


def _write_samples(case: _Case, measured: Measured, indices: Sequence[int], folder: Path) -> None:
    knobs = knob_values(case.captured.snapshot)
    setting = Setting(
        version=case.version,
        dataset_id=case.dataset_id,
        seed=case.rules.seed,
        batch_size=case.data.batch_size,
        device=str(case.captured.trainer.strategy.root_device),
        configuration={name: knobs[name] for name in _MAIN_KNOBS if name in knobs},
        names=read_names(case.workspace.prepdata(case.dataset_id)),
    )
    batches = case.data.rows(indices)
    write_samples(folder, case.yardstick.task, indices, batches, measured.predictions, case.listing, setting)


def _publish(staging: Path, artifacts: Path, score: EvalScore) -> None:
    """Move what was staged into the artifacts: the score goes first and comes last, so a kill leaves none."""
    (artifacts / SCORE).unlink(missing_ok=True)
    shutil.rmtree(artifacts / SAMPLES, ignore_errors=True)
    (staging / FILE_NAME).replace(artifacts / FILE_NAME)
    (staging / SAMPLES).replace(artifacts / SAMPLES)
    staging.rmdir()
    write_atomic(artifacts / SCORE, score.model_dump_json(indent=2) + "\n")
