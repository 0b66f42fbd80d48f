"""What happens apart while a version is measured: its script is run up to fit, its model asked, the answers sent."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from pydantic import JsonValue
from torch import nn

from progtrain.evaluation.asking.activations import dead_shares
from progtrain.evaluation.asking.copies import tell_copies_apart
from progtrain.evaluation.asking.inference import REGISTERED, Asked, ask, latency_ms
from progtrain.evaluation.asking.isolation import Send, apart
from progtrain.evaluation.asking.models import load_exported
from progtrain.evaluation.asking.serving import keep_example, requests_of
from progtrain.evaluation.asking.validation import Validation, validation_of
from progtrain.evaluation.showing.presentation import read_names
from progtrain.evaluation.yardstick.batches import Batch, Texts, ValidationSet
from progtrain.evaluation.yardstick.protocol import sample_indices
from progtrain.evaluation.yardstick.stated import Yardstick
from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.capturing.checkpoints import rehearse_restoring, restore_weights
from progtrain.script.capturing.inside_fit import Fit, inside_fit
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
        snapshot: what its script trains.
        batch_size: in which samples are asked; None for that of its own loader.
        draw: 0 for the seed by which every version is measured; another for other random numbers.
    """

    workspace: Workspace
    version: str
    yardstick: Yardstick
    rules: Rules
    dataset_id: str
    snapshot: Snapshot
    batch_size: int | None
    draw: int = 0


@dataclass(frozen=True)
class Circumstances:
    """What is told of an answering once it is through.

    Args:
        samples: those that infer_samples shows, each a batch of one.
        requests: for each of them the body that asks a served model; empty where there is none.
        batch_size: in which it was asked.
        device: where the model was.
        configuration: the main knobs of what was trained.
        latency_ms: of one answer; 0 where it was not timed.
        dead_shares: for every ReLU the share of its units that are dead; empty where it was not looked at.
        shuffled: whether the script's own validation takes the samples in another order.
        validated: how many of the samples it takes; None where that is not known.
        logged: what it logs of the same, untrained weights.
        failure: why it logs nothing.
    """

    samples: tuple[Batch, ...]
    requests: tuple[str, ...]
    batch_size: int | None
    device: str
    configuration: dict[str, JsonValue]
    latency_ms: float = 0.0
    dead_shares: tuple[float, ...] = ()
    shuffled: bool = False
    validated: int | None = None
    logged: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""


def answers_of_version(question: Question, trained: bool) -> Iterator[Asked | Circumstances]:
    """Ask a version's model for every validation sample, in a process apart.

    Args:
        question: which version.
        trained: whether with the weights of its best.ckpt, and timed; else as the script builds it, and beside the
            figures that the script's own validation logs of the same weights.

    Returns:
        What it answered, a batch at a time, and last the circumstances.

    Raises:
        EvaluationError: it cannot be asked.
    """
    run = _ask_trained if trained else _ask_untrained
    return map(_rebuilt, apart(lambda send: _opened(question, lambda fit, data: run(question, fit, data, send))))


def answers_of_exported(question: Question, model: Path) -> Iterator[Asked | Circumstances]:
    """Ask an exported model, in a process apart from the one in which the version's script gives the samples."""
    return map(_rebuilt, apart(lambda send: _ask_exported(question, model, send)))


def _ask_trained(question: Question, fit: Fit, data: Validation, send: Send) -> None:
    restore_weights(fit.model, question.workspace.artifacts(question.version) / "best.ckpt", fit.datamodule)
    count = _ask_all(question, fit, data, send)
    device, predict = fit.trainer.strategy.root_device, question.yardstick.predict
    with fit.answering():
        taken = latency_ms(fit.model, data.samples.rows([0])[0], predict, device) if count else 0.0
        rows = _shown(question, data, count)
        if count and not question.draw:
            _keep_example(question, fit.model, data.samples, rows)
        dead = dead_shares(fit.model, data.samples, device, question.snapshot.calls)
    send(("rest", {**_circumstances(question, fit, data, rows), "latency_ms": taken, "dead_shares": dead}))


def _ask_untrained(question: Question, fit: Fit, data: Validation, send: Send) -> None:
    tell_copies_apart(fit.model)
    logged, failure = _own_figures(question, fit)
    count = _ask_all(question, fit, data, send)
    rest = _circumstances(question, fit, data, _shown(question, data, count))
    rehearse_restoring(fit.trainer, fit.model, fit.datamodule)
    send(("rest", {**rest, "logged": logged, "failure": failure}))


def _own_figures(question: Question, fit: Fit) -> tuple[dict[str, float], str]:
    """What the script's own validation logs, and why it does not."""
    _reseed(question)
    try:
        return fit.validate(), ""
    except Exception as error:  # noqa: BLE001 - a user's validation may raise anything, which is what is told
        traceback.print_exc()
        return {}, f"its own validation raises {type(error).__name__}: {error}"


def _ask_all(question: Question, fit: Fit, data: Validation, send: Send) -> int:
    """Every answer is sent; how many there were."""
    _reseed(question)
    fit.begin_validation()
    frames, count = question.yardstick.task == "transcription", 0
    with fit.answering():
        for asked in ask(fit.model, data.samples, question.yardstick, fit.trainer.strategy.root_device, frames):
            count += len(asked.outputs)
            send(_packed(asked))
    return count


def _reseed(question: Question) -> None:
    pl.seed_everything(
        question.rules.seed + question.draw, verbose=False
    )  # a validation transform may draw random numbers


def _shown(question: Question, data: Validation, count: int) -> list[Batch]:
    return data.samples.rows(sample_indices(question.rules.seed, count, question.rules.eval_config.infer_samples))


def _circumstances(question: Question, fit: Fit, data: Validation, rows: Sequence[Batch]) -> dict[str, Any]:
    knobs = knob_values(question.snapshot)
    return {
        "samples": [_apart(row) for row in rows],
        "requests": requests_of(fit.model, rows),
        "batch_size": data.samples.batch_size,
        "device": str(fit.trainer.strategy.root_device),
        "configuration": {name: knobs[name] for name in _MAIN_KNOBS if name in knobs},
        "shuffled": data.shuffled,
        "validated": data.validated,
    }


def _ask_exported(question: Question, folder: Path, send: Send) -> None:
    samples = apart(lambda sent: _opened(question, lambda fit, data: _send_samples(fit, data, sent)))
    first = _batch(next(samples))
    model, device, yardstick = load_exported(folder), torch.device("cpu"), question.yardstick
    setattr(model, REGISTERED, True)
    batches = (_batch(sent) for sent in samples)
    with torch.inference_mode():
        for asked in ask(model, batches, yardstick, device, yardstick.task == "transcription"):
            send(_packed(asked))
        taken = latency_ms(model, first, yardstick.predict, device)
    told: dict[str, Any] = {"samples": [], "requests": (), "batch_size": None, "device": "cpu", "configuration": {}}
    send(("rest", {**told, "latency_ms": taken}))


def _send_samples(fit: Fit, data: Validation, send: Send) -> None:
    fit.begin_validation()
    for batch in (*data.samples.rows([0]), *data.samples):
        send(_apart(batch))


def _opened(question: Question, run: Callable[[Fit, Validation], None]) -> None:
    """Let Lightning set up the version's fit in a scratch view, which lasts as long as its data set may read files."""
    script = question.workspace.script(question.version)
    source = script.read_text(encoding="utf-8")
    with scratch_view(question.workspace, question.version, source) as view, contextlib.chdir(view):
        split, size = question.yardstick.split, question.batch_size
        inside_fit(view / script.name, lambda fit: run(fit, validation_of(fit, script.name, split, size)))


def _keep_example(question: Question, model: nn.Module, data: ValidationSet, rows: Sequence[Batch]) -> None:
    workspace, prepdata = question.workspace, question.workspace.prepdata(question.dataset_id)
    workspace.version_state(question.version).mkdir(parents=True, exist_ok=True)
    keep_example(workspace, question.version, model, data, rows, question.yardstick, prepdata, read_names(prepdata))


def _packed(asked: Asked) -> Any:
    return ("asked", (asked.outputs, asked.served, asked.targets))


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
