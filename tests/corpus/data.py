"""The tiny data set that the scripts of the corpus read: `dataset/prepdata/v1` as a user would have prepared it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TRAIN, VALID = 320, 96
_GOOD, _BAD = ["bright", "warm", "lovely", "sharp"], ["dull", "cold", "broken", "slow"]
_COMMON = ["the", "film", "and", "its", "music", "were", "with", "some", "people"]


def write_data(root: Path) -> None:
    """Write every file that a script of the corpus may read, the same every time.

    Args:
        root: the folder that scripts run in.
    """
    folder = root / "dataset" / "prepdata" / "v1"
    for split, count, seed in (("train", TRAIN, 1), ("valid", VALID, 2)):
        (folder / split).mkdir(parents=True)
        random = np.random.default_rng(seed)
        _write_signals(folder / split, count, random)
        _write_pictures(folder / split, count, random)
        _write_table(folder / f"{split}.csv", count, random)
        _write_reviews(folder / f"{split}.jsonl", count, random)


def _write_signals(folder: Path, count: int, random: np.random.Generator) -> None:
    """Waves of 16 values; the class, 0 to 3, is their frequency."""
    y = random.integers(4, size=count)
    phase = random.uniform(0, np.pi, size=(count, 1))
    x = np.sin((y[:, None] + 1) * np.linspace(0, np.pi, 16) + phase) + random.normal(0, 0.3, (count, 16))
    np.savez(folder / "signals.npz", x=x.astype(np.float32), y=y)


def _write_pictures(folder: Path, count: int, random: np.random.Generator) -> None:
    """Grey pictures of 12 by 12; the class, 0 to 3, is the quarter with the bright spot."""
    y = random.integers(4, size=count)
    pictures = random.integers(0, 90, size=(count, 12, 12), dtype=np.uint8)
    for picture, quarter in zip(pictures, y, strict=True):
        top, left = 6 * (quarter // 2) + 1, 6 * (quarter % 2) + 1
        picture[top : top + 4, left : left + 4] += 120
    np.savez(folder / "pictures.npz", images=pictures, labels=y)


def _write_table(path: Path, count: int, random: np.random.Generator) -> None:
    """Four features and a price."""
    x = random.normal(size=(count, 4))
    price = x @ [1.0, -2.0, 0.5, 0.0] + 0.1 * x[:, 0] * x[:, 3]
    table = np.column_stack((x, price))
    np.savetxt(path, table, fmt="%.5f", delimiter=",", header="area,age,rooms,floor,price", comments="")


def _write_reviews(path: Path, count: int, random: np.random.Generator) -> None:
    """Sentences of five to nine words, and whether they praise."""
    lines = []
    for label in random.integers(2, size=count):
        words = [*random.choice(_GOOD if label else _BAD, 2), *random.choice(_COMMON, random.integers(3, 8))]
        lines.append(json.dumps({"text": " ".join(random.permutation(words)), "label": int(label)}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
