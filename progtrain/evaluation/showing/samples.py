"""infer_samples: a few validation samples with input, answer and truth, as files that a person can look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from progtrain.evaluation.showing.drawing import Canvas
from progtrain.evaluation.showing.presentation import Names, write_answer, write_input, write_json
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.evaluation.yardstick.listing import Listed
from progtrain.predictions import Predictions
from progtrain.tasks import Task


@dataclass(frozen=True)
class Setting:
    """What is the same for every sample of a version: what its meta.json says, and by which names data go."""

    version: str
    dataset_id: str
    seed: int
    batch_size: int | None
    device: str
    configuration: Mapping[str, JsonValue]
    names: Names


def write_samples(
    folder: Path,
    task: Task,
    indices: Sequence[int],
    batches: Sequence[Batch],
    predictions: Predictions,
    listing: Sequence[Listed] | None,
    setting: Setting,
) -> None:
    """Write `folder`/0001, 0002, … for the samples at `indices`, whose inputs are `batches` (each a batch of one)."""
    canvas = Canvas(task)
    folder.mkdir(parents=True)
    for number, (index, batch) in enumerate(zip(indices, batches, strict=True), start=1):
        home = folder / f"{number:04d}"
        home.mkdir()
        write_input(home, batch, task, None if listing is None else listing[index], setting.names)
        write_answer(home, index, task, predictions, setting.names)
        truth, answer = predictions.targets[index], predictions.answers[index]
        title = f"truth {_short(truth.tolist())}, answer {_short(answer.tolist())}"
        failure = canvas.draw(home / "viz.png", batch, truth, answer, "input" if task == "segmentation" else title)
        not_drawn: dict[str, JsonValue] = {} if failure is None else {"viz.png": f"could not be drawn: {failure}"}
        write_json(home / "meta.json", _meta(index, predictions, setting) | not_drawn)


def _meta(index: int, predictions: Predictions, setting: Setting) -> dict[str, JsonValue]:
    return {
        "sample_id": str(predictions.sample_ids[index]),
        "version_id": setting.version,
        "seed": setting.seed,
        "conditions": {
            "dataset_id": setting.dataset_id,
            "split": "valid",
            "index": index,
            "batch_size": setting.batch_size,
            "device": setting.device,
        },
        "configuration": dict(setting.configuration),
    }


def _short(value: object) -> str:
    if isinstance(value, str):
        return f"“{value if len(value) <= 24 else value[:23] + '…'}”"
    return f"{value:.4g}" if isinstance(value, int | float) else "…"
