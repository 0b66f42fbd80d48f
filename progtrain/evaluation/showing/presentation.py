"""One sample's input, answer and truth as files that a person opens: text, picture, sound, table or JSON, by type."""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from lightning_utilities.core.apply_func import apply_to_collection
from matplotlib.image import imsave
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from progtrain.evaluation.showing.drawing import picture_of
from progtrain.evaluation.yardstick.batches import Batch, as_array
from progtrain.evaluation.yardstick.listing import Listed
from progtrain.predictions import IGNORED, Predictions
from progtrain.prepdata import class_names
from progtrain.tasks import Task

#: Larger arrays are kept as .npy: nobody reads that much JSON.
_LARGEST_JSON: Final = 20_000
_SCORED: Final = ("classification", "multilabel-classification")
_OF_SEQUENCES: Final = ("token-classification", "language-modelling")
#: Values, texts, or too many to be read by name.
_WITHOUT_LABELS: Final = ("regression", "forecasting", "transcription", "segmentation")


@dataclass(frozen=True)
class Names:
    """What stats.json says of the data for people; empty where it does not.

    Args:
        classes: name of every class, under `classes`, `class_names` or `labels`.
        features: name of every column of the input, under `features` or `feature_names`.
        sample_rate: of sound, in Hz, under `sample_rate`.
    """

    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    sample_rate: int | None = None


def read_names(prepdata: Path) -> Names:
    """The names in `prepdata`/stats.json, where there is one."""
    path = prepdata / "stats.json"
    stats = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rate = stats.get("sample_rate")
    return Names(
        classes=class_names(prepdata),
        features=_listed(stats, ("features", "feature_names")),
        sample_rate=rate if isinstance(rate, int) else None,
    )


def _listed(stats: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    found: list[Any] = next((stats[key] for key in keys if isinstance(stats.get(key), list)), [])
    return tuple(str(entry) for entry in found)


def write_input(home: Path, batch: Batch, task: Task, listed: Listed | None, names: Names) -> None:
    """Write `home`/input.*: the raw input where the data's listing has it, else what the model was given."""
    if listed is not None and listed.file is not None:
        shutil.copyfile(listed.file, home / f"input{listed.file.suffix}")
    elif listed is not None and isinstance(listed.value, str):
        (home / "input.txt").write_text(listed.value + "\n", encoding="utf-8")
    elif listed is not None and listed.value is not None:
        write_json(home / "input.json", listed.value)
    elif (picture := picture_of(batch, task)) is not None:
        imsave(home / "input.png", picture, cmap="gray")
    elif isinstance(batch.inputs, Tensor):
        _write_array(home, as_array(batch.inputs[0]), task, names)
    else:
        write_json(home / "input.json", apply_to_collection(batch.inputs, Tensor, lambda tensor: tensor[0].tolist()))


def write_answer(home: Path, index: int, task: Task, predictions: Predictions, names: Names) -> None:
    """Write `home`/output.* and `home`/gt.* of one sample."""
    answer, target = predictions.answers[index], predictions.targets[index]
    if task == "transcription":
        (home / "output.txt").write_text(f"{answer}\n", encoding="utf-8")
        (home / "gt.txt").write_text(f"{target}\n", encoding="utf-8")
        return
    if task == "segmentation":
        imsave(home / "output.png", slice_of(answer), cmap="viridis", vmin=0)
        imsave(home / "gt.png", slice_of(target), cmap="viridis", vmin=0)
        return
    if task == "forecasting" and answer.ndim:
        _write_table(home / "output.csv", answer)
        _write_table(home / "gt.csv", target)
        return
    known = target != IGNORED if task in _OF_SEQUENCES else np.full(target.shape, True)
    output = served_answer(answer[known] if answer.ndim else answer, predictions.outputs[index], task, names)
    truth: dict[str, JsonValue] = {"target": target[known].tolist() if target.ndim else target.tolist()}
    if "label" in output:
        truth["label"] = _named(target, names.classes, task)
    write_json(home / "output.json", {**output, "loss": float(predictions.losses[index])})
    write_json(home / "gt.json", truth)


def slice_of(mask: NDArray[Any]) -> NDArray[Any]:
    """`[H, W]` a mask, or the middle one of a volume's."""
    while mask.ndim > 2:
        mask = mask[len(mask) // 2]
    return mask


def served_answer(answer: NDArray[Any], outputs: NDArray[Any], task: Task, names: Names) -> dict[str, JsonValue]:
    """One sample's answer as a registered model serves it, and as output.json has it.

    Args:
        answer: a class, a value, a text, or one of these for every token, pixel or step.
        outputs: what the model's forward returned.
        task: what the targets are.
        names: what stats.json says of the data.
    """
    output: dict[str, JsonValue] = {"answer": answer.tolist()}
    if names.classes and task not in _WITHOUT_LABELS:
        output["label"] = _named(answer, names.classes, task)
    if task in _SCORED:
        output["scores"] = outputs.tolist()
    return output


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people, null where a number is NaN or infinite, which JSON does not have."""
    path.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _named(row: NDArray[Any], classes: Sequence[str], task: Task) -> JsonValue:
    """The names of a sample's classes: of the one, of each token, or of those labels that hold."""
    indices = (np.flatnonzero(row) if task == "multilabel-classification" else np.atleast_1d(row)).tolist()
    found: list[JsonValue] = [classes[i] if 0 <= i < len(classes) else str(i) for i in indices if i != IGNORED]
    return found[0] if row.ndim == 0 else found


def _write_array(home: Path, array: NDArray[Any], task: Task, names: Names) -> None:
    if names.sample_rate is not None and array.squeeze().ndim == 1 and array.size > names.sample_rate // 20:
        _write_sound(home / "input.wav", array.squeeze(), names.sample_rate)
    elif array.size > _LARGEST_JSON:
        np.save(home / "input.npy", array)
    elif array.ndim == 1 and array.shape[0] == len(names.features):
        _write_table(home / "input.csv", array[None, :], names.features)
    elif task == "forecasting":
        _write_table(home / "input.csv", array)
    else:
        write_json(home / "input.json", array.tolist())


def _write_table(path: Path, array: NDArray[Any], columns: Sequence[str] = ()) -> None:
    rows = array.reshape(len(array), -1)
    head = ",".join(columns or ("value" if rows.shape[1] == 1 else f"value_{i}" for i in range(rows.shape[1])))
    np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.9g")


def _write_sound(path: Path, samples: NDArray[Any], rate: int) -> None:
    """16-bit PCM; what exceeds -1..1 is scaled down to it."""
    scaled = samples.astype(np.float64) / max(1.0, float(np.abs(samples).max()))
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((scaled * 32767).astype("<i2").tobytes())


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value
