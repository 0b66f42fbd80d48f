import json
import wave
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import torch

from progtrain.evaluation.showing.presentation import Names, read_names
from progtrain.evaluation.showing.samples import Setting, write_samples
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.evaluation.yardstick.listing import Listed, read_listing
from progtrain.predictions import IGNORED, Predictions
from progtrain.workspace import Workspace

SETTING = Setting("v001", "v1", seed=42, batch_size=8, device="cpu", configuration={"lr": 0.1}, names=Names())
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


def predictions_of(targets, answers, outputs):
    count = len(targets)
    return Predictions(np.arange(count).astype(str), targets, outputs, answers, np.zeros(count))


def files(tmp_path, task, predictions, inputs, names=None):
    setting = replace(SETTING, names=names or Names())
    write_samples(tmp_path / "all", task, (0,), [Batch(inputs, torch.zeros(1))], predictions, None, setting)
    home = tmp_path / "all" / "0001"
    return home, {path.name for path in home.iterdir()} - {"meta.json"}


def test_texts_are_written_as_texts(tmp_path):
    texts = predictions_of(np.array(["good day"]), np.array(["god day"]), np.zeros((1, 0)))
    home, written = files(tmp_path, "transcription", texts, torch.rand(1, 1, 16, 60))
    assert written == {"input.png", "output.txt", "gt.txt", "viz.png"}
    assert (home / "output.txt").read_text() == "god day\n"
    assert (home / "gt.txt").read_text() == "good day\n"


def test_sound_is_written_as_sound(tmp_path):
    texts = predictions_of(np.array(["one"]), np.array(["on"]), np.zeros((1, 0)))
    home, written = files(
        tmp_path, "transcription", texts, torch.sin(torch.arange(8000.0))[None], Names(sample_rate=8000)
    )
    assert "input.wav" in written
    with wave.open(str(home / "input.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 8000)


def test_segments_are_written_as_pictures(tmp_path):
    masks = np.eye(8, dtype=np.int64)[None]
    home, written = files(
        tmp_path, "segmentation", predictions_of(masks, masks, np.zeros((1, 2, 8, 8))), torch.rand(1, 1, 8, 8)
    )
    assert written == {"input.png", "output.png", "gt.png", "viz.png"}
    assert matplotlib.image.imread(home / "output.png").shape[:2] == (8, 8)


def test_a_truth_in_tex_is_drawn_as_it_stands(tmp_path):
    texts = predictions_of(np.array([r"$\frac{$"]), np.array(["$x$"]), np.zeros((1, 0)))
    _, written = files(tmp_path, "transcription", texts, torch.rand(1, 1, 8, 8))
    assert "viz.png" in written


def test_a_picture_that_cannot_be_drawn_is_told_in_meta(tmp_path):
    ahead = np.array([[1e308, -1e308]])
    home, written = files(tmp_path, "forecasting", predictions_of(ahead, ahead, ahead), torch.rand(1, 30))
    assert "viz.png" not in written
    assert read(home / "meta.json")["viz.png"].startswith("could not be drawn: ")


def test_forecasts_are_written_as_tables(tmp_path):
    ahead = np.arange(4.0)[None]
    home, written = files(tmp_path, "forecasting", predictions_of(ahead, ahead + 1, ahead + 1), torch.rand(1, 30))
    assert written == {"input.csv", "output.csv", "gt.csv", "viz.png"}
    assert (home / "output.csv").read_text().split() == ["value", "1", "2", "3", "4"]


def test_rows_of_a_table_have_their_columns_names(tmp_path):
    row = predictions_of(np.array([1.5]), np.array([1.25]), np.array([1.25]))
    home, written = files(tmp_path, "regression", row, torch.tensor([[1.0, 2.0]]), Names(features=("carat", "depth")))
    assert written == {"input.csv", "output.json", "gt.json"}
    assert (home / "input.csv").read_text().split() == ["carat,depth", "1,2"]


def test_tokens_are_written_without_their_padding(tmp_path):
    targets, answers = np.array([[2, 0, IGNORED]]), np.array([[2, 1, 1]])
    tokens = predictions_of(targets, answers, np.zeros((1, 3, 3)))
    home, _ = files(tmp_path, "token-classification", tokens, torch.tensor([[5, 6, 0]]), Names(classes=("O", "B", "I")))
    assert read(home / "gt.json") == {"target": [2, 0], "label": ["I", "O"]}
    assert read(home / "output.json")["answer"] == [2, 1]


def test_labels_are_written_by_name(tmp_path):
    yes = predictions_of(np.array([[1, 0, 1]]), np.array([[0, 0, 1]]), np.array([[-1.0, -2.0, 3.0]]))
    home, _ = files(tmp_path, "multilabel-classification", yes, torch.rand(1, 3), Names(classes=("a", "b", "c")))
    assert read(home / "gt.json")["label"] == ["a", "c"]
    assert read(home / "output.json")["label"] == ["c"]


def test_names_are_read_from_stats(tmp_path):
    (tmp_path / "stats.json").write_text('{"class_names": ["a", 2], "feature_names": ["x"], "sample_rate": 16000}')
    assert read_names(tmp_path) == Names(("a", "2"), ("x",), 16000)
    assert read_names(tmp_path / "none") == Names()
