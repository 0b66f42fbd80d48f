from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import pytest
import torch
from torch.nn import functional

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.transcription import ctc_greedy, ctc_loss, texts_by_convention
from progtrain.evaluation.scoring.metrics import measure_for, value_of
from progtrain.evaluation.yardstick.vocabulary import read_vocabulary, spell
from progtrain.predictions import Predictions

NO_FILE = Path("there is no metrics.py")
VOCABULARY = ("", "a", "b", "c")
IMAGES = torch.zeros(2, 1, 4, 8)
PADDED, CONCATENATED = torch.tensor([[1, 2, 3], [3, 1, 0]]), torch.tensor([1, 2, 3, 3, 1])
LENGTHS, STEPS = torch.tensor([3, 2]), torch.tensor([8, 8])


@dataclass
class Lines:
    image: torch.Tensor
    text: list[str]


BATCHES = {
    "texts": (IMAGES, ["abc", "ca"]),
    "padded classes": (IMAGES, PADDED),
    "padded classes and lengths": (IMAGES, PADDED, LENGTHS),
    "as CTCLoss takes them": (IMAGES, CONCATENATED, STEPS, LENGTHS),
    "a mapping": {"image": IMAGES, "labels": PADDED, "target_lengths": LENGTHS},
    "a mapping with both": {"image": IMAGES, "text": ["abc", "ca"], "targets": PADDED, "lengths": LENGTHS},
    "a dataclass": Lines(IMAGES, ["abc", "ca"]),
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_batches_as_builders_make_them(batch):
    inputs, targets = texts_by_convention(batch, VOCABULARY)
    assert targets.texts == ("abc", "ca")
    assert targets.lengths.tolist() == [3, 2]
    assert targets.ids[1, :2].tolist() == [3, 1]
    assert torch.equal(inputs["image"] if isinstance(inputs, dict) else inputs, IMAGES)


@pytest.mark.parametrize("batch", [IMAGES, (IMAGES,), (IMAGES, 3), {"image": IMAGES}])
def test_other_batches_are_refused(batch):
    with pytest.raises(EvaluationError, match=r"Say in split\(\) of 03_eval.py"):
        texts_by_convention(batch, VOCABULARY)


def test_classes_without_symbols_say_what_is_missing():
    with pytest.raises(EvaluationError, match=r"common/vocabulary\.json"):
        texts_by_convention((IMAGES, PADDED), ())
    with pytest.raises(EvaluationError, match="each of 4 classes, got 2"):
        ctc_greedy(torch.zeros(1, 5, 4), ("", "a"))


@pytest.mark.parametrize(("path", "text"), [([1, 1, 0, 1, 2], "aab"), ([0, 0], ""), ([3, 3, 3], "c")])
def test_greedy_decoding_merges_and_drops(path, text):
    frames = functional.one_hot(torch.tensor([path]), 4).float()
    assert ctc_greedy(frames, VOCABULARY) == (text,)


@pytest.mark.parametrize("normalised", [True, False])
def test_the_loss_is_torchs(normalised):
    frames = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0))
    scores = frames.log_softmax(2)
    _, targets = texts_by_convention((IMAGES, PADDED, LENGTHS), VOCABULARY)
    expected = functional.ctc_loss(scores.transpose(0, 1), CONCATENATED, STEPS, LENGTHS)
    assert ctc_loss(scores if normalised else frames, targets).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("common/vocabulary.json", '["", "a", "b"]'),
        ("common/vocab.json", '{"a": 1, "": 0, "b": 2}'),
        ("common/alphabet.json", '{"0": "", "1": "a", "2": "b"}'),
        ("stats.json", '{"task_type": "ocr", "characters": ["", "a", "b"]}'),
    ],
)
def test_a_vocabulary_where_builders_leave_it(tmp_path, file, content):
    (tmp_path / "common").mkdir()
    (tmp_path / file).write_text(content)
    assert read_vocabulary(tmp_path) == ("", "a", "b")


def test_no_vocabulary(tmp_path):
    assert read_vocabulary(tmp_path) == ()


def test_words_are_set_apart():
    assert spell([1, 2], ("<blank>", "good", "day")) == "good day"
    assert spell([1, 2], VOCABULARY) == "ab"


SPOKEN = ["the quick brown fox", "jumps", "over the lazy dog", "once more"]
HEARD = ["the quack brown fox", "jumps", "ower lazy dog now", ""]
REFERENCES = {"wer": jiwer.wer, "cer": jiwer.cer}


@pytest.mark.parametrize("name", REFERENCES)
def test_error_rates_agree_with_jiwer(name):
    empty = np.zeros((4, 0), np.float32)
    found = Predictions(np.arange(4).astype(str), np.array(SPOKEN), empty, np.array(HEARD), np.zeros(4))
    value = value_of(measure_for(name, "transcription", NO_FILE), found)
    assert value == pytest.approx(REFERENCES[name](SPOKEN, HEARD), rel=1e-5)
    assert value_of(measure_for("exact_match", "transcription", NO_FILE), found) == 0.25
