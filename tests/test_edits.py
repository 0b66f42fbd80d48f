import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiwer import cer

from progtrain.edits import Edit, distances, edits

SHORT = st.text("abc", max_size=7)


@pytest.mark.parametrize(
    ("answer", "truth", "steps"),
    [
        ("abc", "abc", ()),
        ("", "ab", (Edit("a", ""), Edit("b", ""))),
        ("ab", "", (Edit("", "a"), Edit("", "b"))),
        ("axc", "abc", (Edit("b", "x"),)),
        ("ac", "abc", (Edit("b", ""),)),
        ("abbc", "abc", (Edit("", "b"),)),
        ("sitting", "kitten", (Edit("k", "s"), Edit("e", "i"), Edit("", "g"))),
    ],
)
def test_the_steps_from_a_truth_to_an_answer(answer, truth, steps):
    assert edits(answer, truth) == steps
    assert distances([answer], [truth]).tolist() == [len(steps)]


@given(st.lists(st.tuples(SHORT, SHORT), max_size=6))
def test_distances_are_as_many_as_the_steps(pairs):
    answers, truths = [a for a, _ in pairs], [t for _, t in pairs]
    assert distances(answers, truths).tolist() == [len(edits(a, t)) for a, t in pairs]


@given(SHORT, SHORT.filter(bool))
def test_distances_are_those_of_an_independent_reference(answer, truth):
    assert distances([answer], [truth])[0] == round(cer(truth, answer) * len(truth))


def test_words_are_symbols_like_characters():
    assert distances([["the", "cat"]], [["the", "black", "cat"]]).tolist() == [1]


def test_many_texts_are_measured_in_several_batches(monkeypatch):
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abcd"), random.integers(0, 30))) for _ in range(200)]
    at_once = distances(texts, texts[::-1])
    monkeypatch.setattr("progtrain.edits._CELLS", 500)
    assert np.array_equal(distances(texts, texts[::-1]), at_once)
