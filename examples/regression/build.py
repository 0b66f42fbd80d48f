"""Generate the prepared data of the regression example: Friedman's first function, with noise.

y = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5 + N(0, 1), ten features of which five are idle
(Friedman 1991, Multivariate adaptive regression splines, section 4.3). `test/` is never read by the loop.
"""

import argparse
import json
from pathlib import Path

import numpy as np

SAMPLES = {"train": 1600, "valid": 400, "test": 500}
FEATURES = 10


def friedman(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    clean = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return clean + generator.normal(0.0, 1.0, len(x))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Write dataset/prepdata/v1 of the regression example into a workspace."
    )
    parser.add_argument("workspace", type=Path)
    prepdata = parser.parse_args().workspace / "dataset" / "prepdata" / "v1"

    generator = np.random.default_rng(42)
    header = ",".join([*(f"x{index + 1}" for index in range(FEATURES)), "y"])
    for split, count in SAMPLES.items():
        x = generator.uniform(0.0, 1.0, (count, FEATURES))
        rows = np.column_stack([x, friedman(x, generator)])
        (prepdata / split).mkdir(parents=True, exist_ok=True)
        np.savetxt(prepdata / split / "samples.csv", rows, fmt="%.6f", delimiter=",", header=header, comments="")
    splits = {split: {"num_samples": count} for split, count in SAMPLES.items()}
    stats = {"task_type": "regression", "num_features": FEATURES, "splits": splits}
    (prepdata / "stats.json").write_text(json.dumps(stats, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
