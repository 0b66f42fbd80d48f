"""infer_samples: a few validation samples with input, answer and truth, as files that a person can look at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from lightning_utilities.core.apply_func import apply_to_collection
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from progtrain.evaluation.batches import Batch
from progtrain.evaluation.listing import Listed
from progtrain.evaluation.names import Task
from progtrain.predictions import Predictions

#: A vector is drawn as a signal from this length on; shorter ones are columns of a table.
_SIGNAL_LENGTH: Final = 16
_SMALLEST_IMAGE: Final = 4
#: Larger arrays are kept as .npy: nobody reads that much JSON.
_LARGEST_JSON: Final = 20_000


@dataclass(frozen=True)
class Setting:
    """What every sample's meta.json says alike."""

    version: str
    dataset_id: str
    seed: int
    batch_size: int | None
    device: str
    configuration: Mapping[str, JsonValue]


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
    canvas = _Canvas()
    folder.mkdir(parents=True)
    for number, (index, batch) in enumerate(zip(indices, batches, strict=True), start=1):
        home = folder / f"{number:04d}"
        home.mkdir()
        _write_input(home, batch, None if listing is None else listing[index])
        truth = _truth(index, predictions)
        output = _output(task, index, predictions)
        _write_json(home / "output.json", output)
        _write_json(home / "gt.json", truth)
        _write_json(home / "meta.json", _meta(index, predictions, setting))
        title = f"truth {_short(truth['target'])}, answer {_short(output['answer'])}"
        canvas.draw(home / "viz.png", batch, title)


def _output(task: Task, index: int, predictions: Predictions) -> dict[str, JsonValue]:
    output: dict[str, JsonValue] = {"answer": predictions.answers[index].tolist()}
    if task == "classification":
        output["scores"] = predictions.outputs[index].tolist()
    return {**output, "loss": float(predictions.losses[index])}


def _truth(index: int, predictions: Predictions) -> dict[str, JsonValue]:
    return {"target": predictions.targets[index].tolist()}


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


def _write_input(home: Path, batch: Batch, listed: Listed | None) -> None:
    """The raw input where the data's listing has it, else what the model was given."""
    if listed is not None and listed.file is not None:
        shutil.copyfile(listed.file, home / f"input{listed.file.suffix}")
    elif listed is not None and listed.value is not None:
        _write_json(home / "input.json", listed.value)
    elif (picture := _picture(batch)) is not None:
        imsave(home / "input.png", picture, cmap="gray")
    elif isinstance(batch.inputs, Tensor) and batch.inputs.numel() > _LARGEST_JSON:
        np.save(home / "input.npy", batch.inputs[0].numpy())
    else:
        _write_json(home / "input.json", apply_to_collection(batch.inputs, Tensor, lambda tensor: tensor[0].tolist()))


class _Canvas:
    """One figure for all samples: making a figure with its axes costs more than drawing on it."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=(3.6, 2.4), dpi=80)
        self._axes = self._figure.add_axes((0.12, 0.12, 0.85, 0.76))
        self._axes.tick_params(labelsize=7)
        self._axes.locator_params(nbins=4)
        self._drawn: list[Artist] = []

    def draw(self, path: Path, batch: Batch, title: str) -> None:
        """Draw the input under a title; inputs that are neither a signal nor an image leave no file."""
        picture, signal = _picture(batch), _signal(batch)
        while self._drawn:
            self._drawn.pop().remove()
        if picture is not None:
            self._axes.set_axis_off()
            self._drawn.append(self._axes.imshow(picture, cmap="gray"))
        elif signal is not None:
            self._drawn += self._axes.plot(signal, color="C0", linewidth=1.2)
            self._axes.relim()
        else:
            return
        self._axes.set_title(title, fontsize=9)
        self._figure.savefig(path, pil_kwargs={"compress_level": 1})


def _picture(batch: Batch) -> NDArray[np.floating] | None:
    """`[H, W]` or `[H, W, 3]` in 0..1 where the input is an image, else None."""
    if not isinstance(batch.inputs, Tensor):
        return None
    array = batch.inputs[0].detach().float().numpy()
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    elif array.ndim == 3 and array.shape[0] == 3:
        array = array.transpose(1, 2, 0)
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)
    if not is_image or min(array.shape[:2]) < _SMALLEST_IMAGE or not np.isfinite(array).all():
        return None
    low, high = array.min(), array.max()
    scaled: NDArray[np.floating] = (array - low) / (high - low if high > low else 1.0)
    return scaled


def _signal(batch: Batch) -> NDArray[np.floating] | None:
    if not isinstance(batch.inputs, Tensor):
        return None
    array: NDArray[np.floating] = batch.inputs[0].detach().float().squeeze().numpy()
    return array if array.ndim == 1 and len(array) >= _SIGNAL_LENGTH else None


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "…"


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    """The value with null where a number is NaN or infinite, which JSON does not have."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value
