"""viz.png of a sample: its input, and where they are pictures or series the truth and the answer beside it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from progtrain.errors import shortened
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.tasks import Task

#: A vector is drawn as a signal from this length on; shorter ones are columns of a table.
_SIGNAL_LENGTH: Final = 16
_SMALLEST_IMAGE: Final = 4


class Canvas:
    """One figure for all samples: making a figure with its axes costs more than drawing on it."""

    def __init__(self, task: Task) -> None:
        self._task: Task = task
        panels = 3 if task == "segmentation" else 1
        self._figure = Figure(figsize=(3.6 if panels == 1 else 6.6, 2.4), dpi=80)
        self._panels = [
            self._figure.add_axes((0.12 / panels + place / panels, 0.12, 0.85 / panels, 0.76))
            for place in range(panels)
        ]
        for axes in self._panels:
            axes.tick_params(labelsize=7)
            axes.locator_params(nbins=4)
        self._drawn: list[Artist] = []

    def draw(self, path: Path, batch: Batch, truth: NDArray[Any], answer: NDArray[Any], title: str) -> str | None:
        """Draw one sample; inputs that are neither a signal nor an image leave no file.

        Args:
            path: of the picture.
            batch: of this sample alone.
            truth: its target.
            answer: what was served.
            title: stands above.

        Returns:
            Why it could not be drawn; None where nothing failed.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numbers out of range
                self._draw(path, batch, truth, answer, title)
        except Exception as error:  # noqa: BLE001 - matplotlib, numpy and pillow raise what they like
            path.unlink(missing_ok=True)
            return shortened(f"{type(error).__name__}: {error}", 200)
        return None

    def _draw(self, path: Path, batch: Batch, truth: NDArray[Any], answer: NDArray[Any], title: str) -> None:
        while self._drawn:
            self._drawn.pop().remove()
        picture, signal = picture_of(batch, self._task), _signal(batch)
        if picture is not None:
            self._draw_picture(picture, truth, answer)
        elif signal is not None:
            self._draw_signal(signal, truth, answer)
        else:
            return
        self._panels[0].set_title(title, fontsize=9, parse_math=False)  # a truth may be written in TeX
        self._figure.savefig(path, pil_kwargs={"compress_level": 1})

    def _draw_picture(self, picture: NDArray[np.floating], truth: NDArray[Any], answer: NDArray[Any]) -> None:
        shown = [picture, truth, answer] if self._task == "segmentation" else [picture]
        most = max(1, int(max(truth.max(), answer.max()))) if self._task == "segmentation" else 1
        for place, (axes, image) in enumerate(zip(self._panels, shown, strict=True)):
            axes.set_axis_off()
            if place:
                axes.set_title(("truth", "answer")[place - 1], fontsize=9)
            self._drawn.append(
                axes.imshow(image, cmap="viridis" if place else "gray", vmin=0, vmax=most if place else 1)
            )

    def _draw_signal(self, signal: NDArray[np.floating], truth: NDArray[Any], answer: NDArray[Any]) -> None:
        axes = self._panels[0]
        self._drawn += axes.plot(signal, color="C0", linewidth=1.2)
        if self._task == "forecasting":
            ahead = np.arange(len(signal), len(signal) + truth.size)
            self._drawn += axes.plot(ahead, truth.ravel(), color="C2", linewidth=1.2)
            self._drawn += axes.plot(ahead, answer.ravel(), color="C3", linewidth=1.2, linestyle="--")
        axes.relim()
        axes.autoscale_view()


def picture_of(batch: Batch, task: Task) -> NDArray[np.floating] | None:
    """`[H, W]` or `[H, W, 3]` in 0..1 where the input is an image, else None; a series of channels is none."""
    if not isinstance(batch.inputs, Tensor) or not batch.inputs.is_floating_point() or task == "forecasting":
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
    if not isinstance(batch.inputs, Tensor) or not batch.inputs.is_floating_point():
        return None
    array: NDArray[np.floating] = batch.inputs[0].detach().float().squeeze().numpy()
    return array if array.ndim == 1 and len(array) >= _SIGNAL_LENGTH else None
