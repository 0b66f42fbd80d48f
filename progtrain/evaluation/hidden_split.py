"""Scores one version on the hidden test split: `python -m progtrain.evaluation.hidden_split VERSION --output FILE`.

The split is what `test_dataloader()` of the script's DataModule, or of its LightningModule, reads. Nothing here runs
before the loop has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.asking.inference import Asked, ask, latency_ms
from progtrain.evaluation.asking.isolation import Send, apart, one_thread
from progtrain.evaluation.scoring.measuring import measure
from progtrain.evaluation.yardstick.batches import Texts, ValidationSet
from progtrain.evaluation.yardstick.locked import locked_protocol, locked_yardstick
from progtrain.evaluation.yardstick.protocol import USER_METRICS, validation_fingerprint
from progtrain.evaluation.yardstick.stated import Yardstick
from progtrain.records import EvalScore
from progtrain.script.capturing.checkpoints import restore_weights
from progtrain.script.capturing.inside_fit import Fit, inside_fit
from progtrain.script.capturing.observe_data import first_loader
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.step_records import HiddenScore
from progtrain.workspace import Workspace, now, write_atomic


@dataclass(frozen=True)
class _Told:
    """What the version's process says at its end."""

    latency_ms: float
    seen_before: tuple[str, ...]


def measure_hidden(workspace: Workspace, version: str) -> HiddenScore:
    """Score a version's best.ckpt on the test split, by the locked yardstick.

    Raises:
        ProgtrainError: the script gives no test loader, or the version cannot be measured.
    """
    protocol = locked_protocol(workspace)
    yardstick = locked_yardstick(workspace, protocol)
    told: list[_Told] = []
    folder = workspace.prepdata(protocol.dataset_id) / "test"
    with one_thread():
        answers = _answers(workspace, version, yardstick, folder, protocol.seed, told)
        measured = measure(answers, None, yardstick, workspace.root / USER_METRICS)
    score = EvalScore(
        dataset_id=protocol.dataset_id,
        created_at=now(),
        num_samples=len(measured.predictions.sample_ids),
        metrics=measured.metrics,
        latency_ms=told[0].latency_ms,
    )
    digest = validation_fingerprint(measured.predictions)
    return HiddenScore(score=score, targets_sha256=digest, seen_before=told[0].seen_before)


def _answers(
    workspace: Workspace, version: str, yardstick: Yardstick, folder: Path, seed: int, told: list[_Told]
) -> Iterator[Asked]:
    """What the version answers in a process apart; what else is to be told goes to `told` at the end."""
    for sent in apart(lambda send: _from_script(workspace, version, yardstick, folder, seed, send)):
        if isinstance(sent, dict):
            told.append(_Told(sent["latency_ms"], tuple(sent["seen_before"])))
            continue
        outputs, served, targets = sent
        yield Asked(outputs, served, Texts(*targets) if isinstance(targets, tuple) else targets)


def _from_script(workspace: Workspace, version: str, yardstick: Yardstick, folder: Path, seed: int, send: Send) -> None:
    source, script = workspace.read_script(version), workspace.script(version).name
    with scratch_view(workspace, version, source) as view, contextlib.chdir(view), _Watch(folder) as watch:
        own = sys.argv

        def ask_all(fit: Fit) -> None:
            watch.stop()
            sys.argv = own  # what reads the split from here on is not the script, and is not to pass for it
            restore_weights(fit.model, workspace.artifacts(version) / "best.ckpt", fit.datamodule)
            data = ValidationSet(_test_loader(fit, script), yardstick.split, fit.prepared)
            fit.begin_validation()
            device = fit.trainer.strategy.root_device
            pl.seed_everything(seed, verbose=False)  # a transform may draw random numbers
            with fit.answering():
                for asked in ask(fit.model, data, yardstick, device, yardstick.task == "transcription"):
                    send((asked.outputs, asked.served, asked.targets))
                taken = latency_ms(fit.model, data.rows([0])[0], yardstick.predict, device)
            send({"latency_ms": taken, "seen_before": list(watch.opened)})

        inside_fit(view / script, ask_all)


def _test_loader(fit: Fit, script: str) -> DataLoader[Any]:
    """Of the DataModule, else of the LightningModule, set up for testing as `Trainer.test` does."""
    parts = [part for part in (fit.datamodule, fit.model) if part is not None]
    own = next((part for part in parts if _is_own(part)), None)
    if own is None:
        raise EvaluationError(
            "test/ is there, but the script has no test_dataloader; with one in its DataModule the split is scored"
        )
    fit.trainer.state.fn = type(fit.trainer.state.fn).TESTING
    own.setup("test")
    loader = first_loader(own.test_dataloader())
    fit.trainer.state.fn = type(fit.trainer.state.fn).FITTING
    if not isinstance(loader, DataLoader):
        raise EvaluationError(
            f"Expected test_dataloader of {script} to give a DataLoader, got {type(loader).__name__}."
        )
    return loader


def _is_own(part: Any) -> bool:
    """Whether `test_dataloader` is the script's: Lightning's own raises."""
    return not type(part).test_dataloader.__module__.startswith(("lightning.", "pytorch_lightning."))


class _Watch:
    """Hears which files below a folder are opened; Python tells, for what is opened from Python."""

    def __init__(self, folder: Path) -> None:
        self.opened: dict[str, None] = {}
        self._folder = folder.resolve()
        self._listening = False
        sys.addaudithook(self._hear)  # for good: there is no taking it back, and the process ends soon

    def __enter__(self) -> _Watch:
        self._listening = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._listening = False

    def stop(self) -> None:
        """What is opened from now on is no business of the training's."""
        self._listening = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._listening or event != "open" or not isinstance(arguments[0], str | os.PathLike):
            return
        path = Path(os.path.realpath(arguments[0]))
        if path.is_relative_to(self._folder):
            self.opened[path.relative_to(self._folder.parent).as_posix()] = None


def main() -> None:
    """Measure in the workspace that is the working directory."""
    parser = argparse.ArgumentParser(prog="python -m progtrain.evaluation.hidden_split")
    parser.add_argument("version", help="for instance v003")
    parser.add_argument("--output", type=Path, required=True, help="file for the HiddenScore")
    options = parser.parse_args()
    try:
        measured = measure_hidden(Workspace(os.getcwd()), options.version)
    except ProgtrainError as error:
        sys.exit(f"\n{error}")  # a paragraph of its own, which the loop passes on whole
    write_atomic(options.output, measured.model_dump_json(indent=2))
    print(", ".join(f"{metric.name} {metric.value}" for metric in measured.score.metrics))


if __name__ == "__main__":
    main()
