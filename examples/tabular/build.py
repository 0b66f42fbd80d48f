"""Prepare the data of the tabular example: prices of 53,940 diamonds (the data set of ggplot2, as plotnine has it).

Equal rows are dropped before the split, so that no diamond of the validation set was trained on. `test/` is read
by the final report alone.
"""

import argparse
import importlib.util
import json
from pathlib import Path

import pandas as pd

SAMPLES = {"train": 8000, "valid": 2000, "test": 2000}
GRADES = {
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("JIHGFED"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}
FEATURES = ["carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z"]


def diamonds() -> pd.DataFrame:
    """Every diamond once: measures in millimetres and carats, grades as numbers from worst to best, US dollars."""
    plotnine = importlib.util.find_spec("plotnine")
    table = pd.read_csv(Path(plotnine.submodule_search_locations[0]) / "data" / "diamonds.csv")
    for column, grades in GRADES.items():
        table[column] = table[column].map({grade: rank for rank, grade in enumerate(grades)})
    return table[[*FEATURES, "price"]].drop_duplicates()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write dataset/prepdata/v1 of the tabular example into a workspace.")
    parser.add_argument("workspace", type=Path)
    prepdata = parser.parse_args().workspace / "dataset" / "prepdata" / "v1"

    rows = diamonds().sample(sum(SAMPLES.values()), random_state=42)
    rows.insert(0, "sample_id", [f"diamond-{index}" for index in rows.index])
    start = 0
    for split, count in SAMPLES.items():
        (prepdata / split).mkdir(parents=True, exist_ok=True)
        part = rows.iloc[start : start + count].reset_index(drop=True)
        part.to_parquet(prepdata / split / f"{split}.parquet")
        start += count
    splits = {split: {"num_samples": count} for split, count in SAMPLES.items()}
    stats = {"task_type": "tabular-regression", "features": FEATURES, "target": "price", "splits": splits}
    (prepdata / "stats.json").write_text(json.dumps(stats, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
