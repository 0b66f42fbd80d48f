import json

import matplotlib.image
import numpy as np
import pytest
import torch

from progtrain.evaluation.batches import Batch
from progtrain.evaluation.listing import Listed, read_listing
from progtrain.evaluation.samples import Setting, write_samples
from progtrain.workspace import Workspace

SETTING = Setting("v001", "v1", seed=42, batch_size=8, device="cpu", configuration={"lr": 0.1})
INDICES = (3, 8)


def written(folder, predictions, shape, listing=None):
    batches = [Batch(torch.rand(1, *shape), torch.tensor([0])) for _ in INDICES]
    write_samples(folder / "infer_samples", "classification", INDICES, batches, predictions, listing, SETTING)
    return folder / "infer_samples" / "0001"


def read(path):
    return json.loads(path.read_text())


def test_each_sample_says_what_it_is(tmp_path, classified):
    predictions = classified()
    home = written(tmp_path, predictions, (3,))
    assert sorted(path.name for path in home.parent.iterdir()) == ["0001", "0002"]
    assert read(home / "meta.json") == {
        "sample_id": "3",
        "version_id": "v001",
        "seed": 42,
        "conditions": {"dataset_id": "v1", "split": "valid", "index": 3, "batch_size": 8, "device": "cpu"},
        "configuration": {"lr": 0.1},
    }
    output = read(home / "output.json")
    assert output["answer"] == predictions.answers[3]
    assert np.argmax(output["scores"]) == output["answer"]
    assert read(home / "gt.json") == {"target": predictions.targets[3]}


@pytest.mark.parametrize(
    ("shape", "files"),
    [
        ((3,), {"input.json"}),
        ((40,), {"input.json", "viz.png"}),
        ((1, 40), {"input.json", "viz.png"}),
        ((8, 8), {"input.png", "viz.png"}),
        ((1, 8, 8), {"input.png", "viz.png"}),
        ((3, 8, 8), {"input.png", "viz.png"}),
        ((6, 100, 100), {"input.npy"}),
    ],
)
def test_inputs_in_a_form_that_people_can_look_at(tmp_path, classified, shape, files):
    home = written(tmp_path, classified(), shape)
    assert {path.name for path in home.iterdir()} == {"output.json", "gt.json", "meta.json"} | files
    if "viz.png" in files:
        assert matplotlib.image.imread(home / "viz.png").std() > 0.05


def test_raw_inputs_come_from_the_listing(tmp_path, classified):
    raw = tmp_path / "3.txt"
    raw.write_text("as it was")
    listing = [Listed(str(i), file=raw) if i == 3 else Listed(str(i), value=[i]) for i in range(10)]
    home = written(tmp_path, classified(), (3,), listing)
    assert (home / "input.txt").read_text() == "as it was"
    assert read(home.parent / "0002" / "input.json") == [8]


@pytest.mark.parametrize("name", ["valid/valid.jsonl", "val/val.jsonl"])
def test_a_listing_names_samples_and_their_inputs(tmp_path, name):
    path = tmp_path / "dataset" / "prepdata" / "v1" / name
    path.parent.mkdir(parents=True)
    (path.parent / "one.wav").write_bytes(b"sound")
    lines = [{"sample_id": "a", "input": "one.wav", "target": 0}, {"sample_id": "007", "input": "seven", "target": 1}]
    path.write_text("\n".join(map(json.dumps, lines)))
    found = read_listing(Workspace(tmp_path), "v1")
    assert found == (Listed("a", file=path.parent / "one.wav"), Listed("007", value="seven"))


def test_a_parquet_listing(tmp_path):
    import pandas as pd

    path = tmp_path / "dataset" / "prepdata" / "v1" / "valid" / "valid.parquet"
    path.parent.mkdir(parents=True)
    pd.DataFrame({"sample_id": ["a", "b"], "target": [0, 1]}).to_parquet(path)
    assert read_listing(Workspace(tmp_path), "v1") == (Listed("a"), Listed("b"))


def test_no_listing_or_one_without_ids(tmp_path):
    folder = tmp_path / "dataset" / "prepdata" / "v1" / "valid"
    folder.mkdir(parents=True)
    assert read_listing(Workspace(tmp_path), "v1") is None
    (folder / "valid.jsonl").write_text('{"input": 1}\n')
    assert read_listing(Workspace(tmp_path), "v1") is None
