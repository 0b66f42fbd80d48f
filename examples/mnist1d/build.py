"""Generate the prepared data of the MNIST-1D example: one-dimensional signals of ten classes.

The data set is synthetic and made here from a fixed seed (package `mnist1d`); nothing is downloaded.
Of the 4000 training signals the first 3200 train and the last 800 validate; `test/` is never read by the loop.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from mnist1d.data import get_dataset_args, make_dataset

NUM_TRAIN = 3200


def write_split(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "signals.npz", x=x.astype(np.float32), y=y)


def write_index(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    """One line a sample, so that people and other models see the raw signal."""
    rows = (
        {"sample_id": f"valid-{index:04d}", "input": [round(float(value), 6) for value in signal], "target": int(digit)}
        for index, (signal, digit) in enumerate(zip(x.astype(np.float32), y, strict=True))
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write dataset/prepdata/v1 of the MNIST-1D example into a workspace.")
    parser.add_argument("workspace", type=Path)
    prepdata = parser.parse_args().workspace / "dataset" / "prepdata" / "v1"

    data = make_dataset(get_dataset_args())
    train_x, valid_x = data["x"][:NUM_TRAIN], data["x"][NUM_TRAIN:]
    train_y, valid_y = data["y"][:NUM_TRAIN], data["y"][NUM_TRAIN:]
    write_split(prepdata / "train", train_x, train_y)
    write_split(prepdata / "valid", valid_x, valid_y)
    write_split(prepdata / "test", data["x_test"], data["y_test"])
    write_index(prepdata / "valid" / "valid.jsonl", valid_x, valid_y)
    stats = {
        "task_type": "classification",
        "num_classes": 10,
        "num_features": 40,
        "num_train": len(train_y),
        "num_valid": len(valid_y),
        "num_test": len(data["y_test"]),
    }
    (prepdata / "stats.json").write_text(json.dumps(stats, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
