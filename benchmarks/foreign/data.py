"""Small data sets for the foreign scripts, made with fixed seeds: the first `TRAIN` rows are the training set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, make_classification, make_friedman1, make_multilabel_classification

TRAIN, VALID = 360, 170
"""170 is no multiple of a usual batch size: a mean over batches is another number than one over samples."""

Arrays = dict[str, np.ndarray]

_COUNT = TRAIN + VALID


def write(root: Path, arrays: Arrays, task_type: str, **stats: object) -> None:
    """Make `dataset/prepdata/v1` below a workspace: `train/data.npz`, `valid/data.npz`, `stats.json`."""
    prepdata = root / "dataset" / "prepdata" / "v1"
    for split, rows in (("train", slice(0, TRAIN)), ("valid", slice(TRAIN, None))):
        (prepdata / split).mkdir(parents=True)
        np.savez(prepdata / split / "data.npz", **{name: array[rows] for name, array in arrays.items()})
    counts = {"num_train": TRAIN, "num_valid": VALID}
    (prepdata / "stats.json").write_text(json.dumps({"task_type": task_type, **counts, **stats}))


def table(classes: int = 4, scale: float = 1.0, shift: float = 0.0) -> Arrays:
    """Sixteen columns, a class, and a subject that tells nothing of the class."""
    x, y = make_classification(_COUNT, 16, n_informative=8, n_classes=classes, class_sep=1.3, random_state=3)
    subject = np.random.default_rng(1).integers(0, classes, _COUNT)
    return {"x": (x * scale + shift).astype(np.float32), "y": y.astype(np.int64), "subject": subject}


def binary() -> Arrays:
    """Two classes, one of them rare."""
    x, y = make_classification(_COUNT, 12, n_informative=6, weights=[0.8], class_sep=1.2, random_state=5)
    return {"x": x.astype(np.float32), "y": y.astype(np.int64)}


def labels() -> Arrays:
    """Five labels, several of which may apply."""
    x, y = make_multilabel_classification(_COUNT, 20, n_classes=5, n_labels=2, random_state=2)
    return {"x": (x / 5 - 1).astype(np.float32), "y": y.astype(np.int64)}


def prices() -> Arrays:
    """Ten columns, and a value between about 500 and 30,000; a second value goes with it."""
    x, y = make_friedman1(_COUNT, noise=0.5, random_state=4)
    second = 3 * x[:, 0] - 2 * x[:, 5] + 0.1 * y
    return {
        "x": x.astype(np.float32),
        "y": (1000 * y + 500).clip(500).astype(np.float32),
        "z": second.astype(np.float32),
    }


def digits() -> Arrays:
    """Handwritten digits, 8 by 8, of 17 shades."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:_COUNT]
    return {"x": x[order].reshape(-1, 8, 8).astype(np.uint8), "y": y[order].astype(np.int64)}


def shapes() -> Arrays:
    """Noisy pictures of 16 by 16 with a square (1) and a disc (2), and the class of every pixel."""
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[:16, :16]
    images, masks = [], []
    for _ in range(_COUNT):
        mask = np.zeros((16, 16), np.int64)
        top, left, size = [*random.integers(0, 10, 2).tolist(), random.integers(4, 7)]
        mask[top : top + size, left : left + size] = 1
        middle, radius = random.integers(3, 13, 2), random.integers(2, 4)
        mask[(rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 <= radius**2] = 2
        images.append(0.8 * (mask == 1) - 0.9 * (mask == 2) + random.normal(0, 0.4, mask.shape))
        masks.append(mask)
    return {"image": np.stack(images).astype(np.float32), "mask": np.stack(masks)}


def sequences() -> Arrays:
    """Up to 12 tokens (1 to 19, 0 is padding), a tag (1 to 3) of every token, and a class of the whole."""
    random = np.random.default_rng(8)
    lengths = random.integers(4, 13, _COUNT)
    tokens = random.integers(1, 20, (_COUNT, 12))
    before = np.roll(tokens, 1, axis=1)
    before[:, 0] = 0
    tags = 1 + (tokens % 3 + (before > 12)) % 3
    inside = np.arange(12) < lengths[:, None]
    whole = ((tokens * inside).sum(1) / lengths > 10).astype(np.int64)
    return {"tokens": tokens * inside, "tags": tags * inside, "lengths": lengths, "y": whole}


def lines(alphabet: int = 6) -> Arrays:
    """Twenty frames of noisy codes, and the two to five symbols (1 to `alphabet`) written there; 0 is padding."""
    random = np.random.default_rng(9)
    codes = random.normal(0, 1, (alphabet + 1, 8))
    x, y, lengths = [], np.zeros((_COUNT, 5), np.int64), random.integers(2, 6, _COUNT)
    for row, length in enumerate(lengths):
        y[row, :length] = random.integers(1, alphabet + 1, length)
        frames = [symbol for drawn in y[row, :length] for symbol in (*[drawn] * random.integers(2, 4), 0)]
        x.append(codes[(frames + [0] * 20)[:20]] + random.normal(0, 0.3, (20, 8)))
    return {"x": np.stack(x).astype(np.float32), "y": y, "lengths": lengths}


def series() -> Arrays:
    """Forty-eight steps of two waves with noise on a level of its own."""
    random = np.random.default_rng(10)
    time, start, level = np.arange(48), random.uniform(0, 24, (_COUNT, 1)), random.uniform(4, 9, (_COUNT, 1))
    waves = np.sin((time + start) * 2 * np.pi / 12) + 0.5 * np.sin((time + start) * 2 * np.pi / 24)
    return {"values": (level + waves + random.normal(0, 0.1, waves.shape)).astype(np.float32)}


def graphs() -> Arrays:
    """Graphs of 4 to 9 nodes: features of nodes, a symmetric matrix of neighbours, and whether edges are many."""
    random = np.random.default_rng(11)
    nodes = random.integers(4, 10, _COUNT)
    inside = np.arange(9) < nodes[:, None]
    edges = random.uniform(size=(_COUNT, 9, 9)) < random.uniform(0.2, 0.8, (_COUNT, 1, 1))
    edges = np.triu(edges, 1) & inside[:, :, None] & inside[:, None, :]
    edges = edges | edges.transpose(0, 2, 1)
    many = edges.sum((1, 2)) / (nodes * (nodes - 1)) > 0.5
    x = random.normal(size=(_COUNT, 9, 3)) * inside[:, :, None]
    return {"x": x.astype(np.float32), "edges": edges, "nodes": nodes, "y": many.astype(np.int64)}


def words() -> Arrays:
    """Texts of 17 symbols (1 to 11), each mostly told by the one before it."""
    random = np.random.default_rng(12)
    likely = random.permuted(np.tile(np.arange(1, 12), (12, 1)), axis=1)[:, :3]
    text = random.integers(1, 12, (_COUNT, 17))
    for place in range(1, 17):
        follows = likely[text[:, place - 1], random.choice(3, _COUNT, p=[0.7, 0.2, 0.1])]
        text[:, place] = np.where(random.uniform(size=_COUNT) < 0.9, follows, text[:, place])
    return {"text": text}
