"""What happens apart while a version is measured: its script is run up to fit, its model asked, the answers sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from pydantic import JsonValue
from torch import nn
from torch.utils.data import DataLoader

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.activations import dead_shares
from progtrain.evaluation.asking.inference import Asked, ask, latency_ms
from progtrain.evaluation.asking.isolation import apart
from progtrain.evaluation.asking.models import load_exported, load_weights
from progtrain.evaluation.asking.serving import keep_example, requests_of
from progtrain.evaluation.showing.presentation import read_names
from progtrain.evaluation.yardstick.batches import Batch, Texts, ValidationSet
from progtrain.evaluation.yardstick.protocol import sample_indices
from progtrain.evaluation.yardstick.stated import Yardstick
from progtrain.rules import Rules
from progtrain.script.capturing.capture import CapturedFit, capture_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.script.settings.knob_values import knob_values
from progtrain.workspace import Workspace

_MAIN_KNOBS = ("optimizer", "lr", "weight_decay", "scheduler", "batch_size", "epochs", "dropout", "width", "precision")


@dataclass(frozen=True)
class Question:
    """Which version is asked, and how.

    Args:
        workspace: where it is.
        version: its id.
        yardstick: what 03_eval.py states.
        rules: the user's.
        dataset_id: the locked one.
    """

    workspace: Workspace
    version: str
    yardstick: Yardstick
    rules: Rules
    dataset_id: str


@dataclass(frozen=True)
class Circumstances:
    """What is told of an answering once it is through.

    Args:
        latency_ms: of one answer; 0 where it was not timed.
        samples: those that infer_samples shows, each a batch of one.
        requests: for each of them the body that asks a served model; empty where there is none.
        batch_size: in which it was asked.
        device: where the model was.
        configuration: the main knobs of what was trained.
        dead_shares: for every ReLU the share of its units that are dead; empty where it was not looked at.
    """

    latency_ms: float
    samples: tuple[Batch, ...]
    requests: tuple[str, ...]
    batch_size: int | None
    device: str
    configuration: dict[str, JsonValue]
    dead_shares: tuple[float, ...] = ()


def answers_of_version(question: Question, trained: bool) -> Iterator[Asked | Circumstances]:
    """Ask a version's model for every validation sample, in a process apart.

    Args:
        question: which version.
        trained: whether with the weights of its best.ckpt, and timed; else as the script builds it.

    Returns:
        What it answered, a batch at a time, and last the circumstances.

    Raises:
        EvaluationError: it cannot be asked.
    """
    return map(_rebuilt, apart(lambda: _version_answers(question, trained)))


def answers_of_exported(question: Question, model: Path) -> Iterator[Asked | Circumstances]:
    """Ask an exported model, in a process apart from the one in which the version's script gives the samples."""
    return map(_rebuilt, apart(lambda: _exported_answers(question, model)))


def _version_answers(question: Question, trained: bool) -> Iterator[Any]:
    with _opened(question) as (captured, data):
        device = captured.trainer.strategy.root_device
        model = captured.model.to(device).eval()
        if trained:
            load_weights(model, question.workspace.artifacts(question.version) / "best.ckpt")
        count, predict = 0, question.yardstick.predict
        for asked in ask(model, data, predict, device, question.yardstick.task == "transcription"):
            count += len(asked.outputs)
            yield _packed("asked", asked)
        taken = latency_ms(model, data.rows([0])[0], predict, device) if trained and count else 0.0
        rows = data.rows(sample_indices(question.rules.seed, count, question.rules.eval_config.infer_samples))
        if trained and count:
            _keep_example(question, model, data, rows)
        knobs = knob_values(captured.snapshot)
        yield (
            "rest",
            {
                "latency_ms": taken,
                "samples": [_apart(row) for row in rows],
                "requests": requests_of(model, rows),
                "batch_size": data.batch_size,
                "device": str(device),
                "configuration": {name: knobs[name] for name in _MAIN_KNOBS if name in knobs},
                "dead_shares": dead_shares(model, data, device, captured.snapshot.calls) if trained else (),
            },
        )


def _exported_answers(question: Question, folder: Path) -> Iterator[Any]:
    samples = apart(lambda: _version_samples(question))
    first = _batch(next(samples))
    model, device, predict = load_exported(folder), torch.device("cpu"), question.yardstick.predict
    batches = (_batch(sent) for sent in samples)
    for asked in ask(model, batches, predict, device, question.yardstick.task == "transcription"):
        yield _packed("asked", asked)
    taken = latency_ms(model, first, predict, device)
    rest = {
        "latency_ms": taken,
        "samples": [],
        "requests": (),
        "batch_size": None,
        "device": "cpu",
        "configuration": {},
    }
    yield ("rest", rest)


def _version_samples(question: Question) -> Iterator[Any]:
    with _opened(question) as (_, data):
        for batch in (*data.rows([0]), *data):
            yield _apart(batch)


@contextlib.contextmanager
def _opened(question: Question) -> Iterator[tuple[CapturedFit, ValidationSet]]:
    """Capture the version's script in a scratch view, which lasts as long as its data set may read files."""
    script = question.workspace.script(question.version)
    source = script.read_text(encoding="utf-8")
    with scratch_view(question.workspace, question.version, source) as view, contextlib.chdir(view):
        captured = capture_fit(view / script.name)
        data = ValidationSet(_validation_loader(captured, script.name), question.yardstick.split)
        pl.seed_everything(question.rules.seed, verbose=False)  # a validation transform may draw random numbers
        yield captured, data


def _keep_example(question: Question, model: nn.Module, data: ValidationSet, rows: Sequence[Batch]) -> None:
    workspace, prepdata = question.workspace, question.workspace.prepdata(question.dataset_id)
    workspace.version_state(question.version).mkdir(parents=True, exist_ok=True)
    keep_example(workspace, question.version, model, data, rows, question.yardstick, prepdata, read_names(prepdata))


def _validation_loader(captured: CapturedFit, script: str) -> DataLoader[Any]:
    loader = captured.valid_loader
    if isinstance(loader, DataLoader):
        return loader
    found = "none" if loader is None else f"a {type(loader).__name__}"
    raise EvaluationError(
        f"Expected one validation DataLoader in {script}, got {found}. Give it to Trainer.fit or to the DataModule."
    )


def _packed(kind: str, asked: Asked) -> Any:
    return (kind, (asked.outputs, asked.served, asked.targets))


def _apart(batch: Batch) -> Any:
    return (batch.inputs, batch.targets, isinstance(batch.targets, Texts))


def _batch(sent: Any) -> Batch:
    inputs, targets, has_texts = sent
    return Batch(inputs, Texts(*targets) if has_texts else targets)


def _rebuilt(sent: Any) -> Asked | Circumstances:
    kind, value = sent
    if kind == "asked":
        outputs, served, targets = value
        return Asked(outputs, served, Texts(*targets) if isinstance(targets, tuple) else targets)
    return Circumstances(**{**value, "samples": tuple(_batch(row) for row in value["samples"])})
