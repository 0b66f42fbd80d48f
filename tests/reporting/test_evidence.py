"""What is said of the answers of every task, and the pictures of them."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from progtrain.predictions import IGNORED, Predictions
from progtrain.reporting.analysis import Measured, render_analysis
from progtrain.reporting.evidence import EditTotals, describe_answers
from progtrain.reporting.pictures import draw_answers, draw_deltas

COUNT = 40
ROWS = np.arange(COUNT)
IDS = ROWS.astype(str)


def answered(targets, answers, outputs=None, losses=None):
    outputs = np.zeros((len(targets), 0)) if outputs is None else outputs
    return Predictions(IDS, targets, outputs, answers, np.ones(COUNT) if losses is None else losses)


def texts(cut):
    truths = np.array([f"line {row} abc" for row in ROWS])
    return answered(truths, np.array([text[:-2] if row < cut else text for row, text in enumerate(truths)]))


def sentences(wrong):
    targets = np.tile([0, 1, 2, IGNORED], (COUNT, 1))
    answers = targets.copy()
    answers[:wrong, 1] = 2
    return answered(targets, answers, np.zeros((COUNT, 3, 4)))


def masks(wrong):
    targets = np.tile(np.eye(4, dtype=np.int64), (COUNT, 1, 1))
    answers = targets.copy()
    answers[:wrong, 0, 0] = 0
    return answered(targets, answers, np.zeros((COUNT, 2, 4, 4)))


def tags(wrong):
    targets = np.stack([ROWS % 2, ROWS % 3 == 0], axis=1).astype(np.int64)
    answers = targets.copy()
    answers[:wrong, 1] = 1 - answers[:wrong, 1]
    return answered(targets, answers, np.zeros((COUNT, 2)))


def forecasts(error):
    targets = np.tile(np.arange(24.0), (COUNT, 1))
    answers = targets + error * np.arange(24) * (-1.0) ** ROWS[:, None]
    return answered(targets, answers, answers, np.full(COUNT, float(error)))


def language(surprise):
    targets = np.tile([1, 2, 3, IGNORED], (COUNT, 1))
    return answered(targets, targets.copy(), np.full((COUNT, 4), -float(surprise)), np.full(COUNT, float(surprise)))


MADE = {
    "ocr-recognition": (texts, 20, 4, "`line 0 abc`"),
    "token-classification": (sentences, 30, 5, "3 tokens"),
    "image-segmentation": (masks, 30, 5, "16 pixels"),
    "multi-label": (tags, 30, 5, "night"),
    "time-series-forecasting": (forecasts, 2, 1, "24 values, mean 11.5"),
    "text-generation": (language, 2, 1, "3 tokens"),
}


@pytest.mark.parametrize("task_type", MADE)
def test_the_page_and_its_pictures_are_made_for_every_task(task_type, analysis, tmp_path):
    make, worse, better, shown = MADE[task_type]
    whole = replace(
        analysis,
        task_type=task_type,
        now=replace(analysis.now, predictions=make(better)),
        parent=Measured("v001", analysis.parent.score, make(worse)),
        sample_ids=("0", "7"),
        names=("day", "night") if task_type == "multi-label" else (),
    )
    answers = whole.answers
    assert answers.group is not None
    assert answers.gained > 0
    assert answers.lost == 0
    pictures = (*draw_answers(tmp_path, make(better), _task(task_type), ()), *draw_deltas(tmp_path, answers.group))
    page = render_analysis(whole, answers, pictures)
    assert shown in page
    for picture in pictures:
        assert f"[{picture.name}]({picture.name})" in page
        assert np.ptp(imread(tmp_path / picture.name)) > 0


def test_numbers_that_cannot_be_drawn_are_told_on_the_page(analysis, tmp_path):
    answers = np.full(COUNT, 3e38, dtype=np.float32)  # every residual is the same number, and the next one is far away
    huge = answered(ROWS.astype(np.float32), answers, answers)
    whole = replace(analysis, task_type="regression", now=replace(analysis.now, predictions=huge), parent=None)
    pictures = draw_answers(tmp_path, huge, "regression", ())
    page = render_analysis(whole, whole.answers, pictures)
    told = [line for line in page.splitlines() if line.startswith("residuals.png (answers over targets) could not be")]
    assert len(told) == 1
    assert "Too many bins" in told[0]
    assert "[residuals.png]" not in page
    assert not (tmp_path / "residuals.png").exists()


def _task(task_type):
    from progtrain.tasks import task_of

    return task_of(task_type)


def test_texts_are_told_apart_by_their_characters():
    answers = describe_answers(texts(10), texts(20), ("0", "30"), "transcription")
    assert answers.edits == EditTotals(confused=0, lost=20, inserted=0)
    assert answers.edits_before.lost == 40
    assert {(line.truth, line.answer, line.count, line.before) for line in answers.confusions} == {
        ("b", "", 10, 20),
        ("c", "", 10, 20),
    }
    cut, whole = answers.samples
    assert cut.note == "wrong as before (2 edits, 2 before)"
    assert whole.note == "right as before"


def test_the_groups_that_clearly_changed_are_named(make_answers):
    before = make_answers(100)
    wrong = (before.targets == 2) & (np.arange(100) < 60)
    now = replace(before, answers=np.where(wrong, 3, before.targets))
    group = describe_answers(now, before, (), "classification").group
    assert group.won is None
    assert group.lost.label == "2"
    assert group.lost.delta == pytest.approx(-0.6)
    steady = describe_answers(before, before, (), "classification").group
    assert steady.won is steady.lost is None


def test_targets_are_cut_into_quarters_and_a_bias_is_found():
    targets = np.arange(40.0)
    scatter = 0.1 * (-1.0) ** ROWS
    answers = describe_answers(
        answered(targets, targets + 1 + scatter), answered(targets, targets + scatter), (), "regression"
    )
    assert [line.count for line in answers.group.lines] == [10, 10, 10, 10]
    assert answers.bias == pytest.approx(1)
    assert answers.group.lost is not None


def test_many_classes_are_shown_by_what_changed_most(make_answers):
    now, before = make_answers(80, classes=20), make_answers(95, classes=20)
    group = describe_answers(now, before, (), "classification").group
    deltas = [abs(line.delta) for line in group.lines]
    assert len(deltas) == 12
    assert deltas == sorted(deltas, reverse=True)
