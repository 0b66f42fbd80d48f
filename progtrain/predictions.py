"""What a version answered on the validation set, one row a sample: the evidence that comparisons rest on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FILE_NAME = "predictions.npz"
#: The target of a padded token or of a pixel that does not count; torch's own `ignore_index`.
IGNORED: Final = -100


@dataclass(frozen=True)
class Predictions:
    """Row i of every array is the same validation sample, in the locked order.

    Args:
        sample_ids: `[N]` strings.
        targets: `[N, ...]`; strings for a transcription.
        outputs: `[N, ...]` raw model outputs: class scores (logits) `[N, C, ...]` or regressed values; for a language
            model `[N, T]` log-probabilities of the target tokens; `[N, 0]` for a transcription.
        answers: `[N, ...]` what is served: class indices, texts, or the outputs themselves for regression.
        losses: `[N]` per-sample value of the locked loss.
    """

    sample_ids: NDArray[np.str_]
    targets: NDArray[np.generic]
    outputs: NDArray[np.floating]
    answers: NDArray[np.generic]
    losses: NDArray[np.floating]

    def write(self, path: Path) -> None:
        """Save as a compressed .npz without pickles."""
        np.savez_compressed(
            path,
            sample_ids=self.sample_ids,
            targets=self.targets,
            outputs=self.outputs,
            answers=self.answers,
            losses=self.losses,
        )


def counted(predictions: Predictions) -> NDArray[np.bool_]:
    """`[N, ...]` which targets count: padded, ignored and missing ones do not."""
    targets = predictions.targets
    if np.issubdtype(targets.dtype, np.integer):
        return np.asarray(targets != IGNORED)
    if np.issubdtype(targets.dtype, np.floating):
        return np.asarray(np.isfinite(targets.astype(np.float64)))
    return np.ones(targets.shape, dtype=bool)


def right(predictions: Predictions) -> NDArray[np.bool_]:
    """`[N]` which samples are answered right, in every target that counts."""
    count = len(predictions.targets)
    same = predictions.answers.reshape(predictions.targets.shape) == predictions.targets
    return np.asarray((same | ~counted(predictions)).reshape(count, -1).all(axis=1))


def read_predictions(path: Path) -> Predictions:
    """Load what `Predictions.write` saved."""
    with np.load(path, allow_pickle=False) as arrays:
        return Predictions(**{name: arrays[name] for name in ("sample_ids", "targets", "outputs", "answers", "losses")})
