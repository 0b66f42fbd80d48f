"""What the terminal and the tracker see of a training while it runs."""

from __future__ import annotations

import time

from progtrain.curves import latest_metrics_csv, read_curves
from progtrain.steps.context import Context

TRACK_EVERY = 2.0
"""Seconds between two hand-overs of new curve points to the tracker."""


class Progress:
    """Called a few times a second by the executor; reads metrics.csv when it has grown."""

    def __init__(self, context: Context, version: str, max_epochs: int | None) -> None:
        self._context = context
        self._version = version
        self._of = f"/{max_epochs}" if max_epochs and max_epochs > 0 else ""
        self._seen = 0
        self._tracked = time.monotonic()

    def __call__(self) -> None:
        """Show and hand over what is new."""
        path = latest_metrics_csv(self._context.workspace.artifacts(self._version))
        size = path.stat().st_size if path is not None and path.exists() else 0
        if path is None or size == self._seen:
            return
        self._seen = size
        columns = read_curves(path).columns
        last = {name: points[-1] for name, points in columns.items() if points}
        epochs = [point.epoch for point in last.values() if point.epoch is not None]
        values = "  ".join(f"{name} {point.value:.4g}" for name, point in sorted(last.items()) if "step" not in name)
        self._context.progress(f"{self._version}  epoch {max(epochs, default=0) + 1}{self._of}  {values}")
        if time.monotonic() - self._tracked > TRACK_EVERY:
            self._tracked = time.monotonic()
            self._context.tracker.training_progressed(self._version)
