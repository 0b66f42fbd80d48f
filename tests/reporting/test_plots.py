from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from progtrain.curves import Curves
from progtrain.reporting.plots import draw_curves, draw_progress
from progtrain.reporting.story import read_change


def test_curves_are_drawn_with_and_without_metrics(tmp_path, settling):
    draw_curves(tmp_path / "both.png", "v002 adamw", settling)
    losses = Curves({name: points for name, points in settling.columns.items() if "loss" in name})
    draw_curves(tmp_path / "losses.png", "v002 adamw", losses)
    both, alone = (imread(tmp_path / name) for name in ("both.png", "losses.png"))
    assert both.shape[1] > alone.shape[1]
    assert np.ptp(both) > 0


def test_no_curves_still_make_a_picture(tmp_path):
    draw_curves(tmp_path / "none.png", "v001", Curves({}))
    assert (tmp_path / "none.png").stat().st_size > 0


@pytest.mark.parametrize("higher", [True, False])
def test_progress_leaves_room_for_a_version_that_has_no_value(tmp_path, finished, higher):
    changes = [read_change(finished, version, "accuracy") for version in finished.versions()]
    draw_progress(tmp_path / "progress.png", "accuracy", higher, [*changes, replace(changes[-1], primary=None)])
    assert np.ptp(imread(tmp_path / "progress.png")) > 0


def test_a_picture_that_cannot_be_drawn_is_told_and_leaves_no_file(tmp_path, settling):
    path = tmp_path / "curves.png"
    path.write_text("of the training before")
    high = Curves(
        {"val_loss": tuple(replace(point, value=(-1) ** point.epoch * 1e308) for point in settling.columns["val_loss"])}
    )
    assert draw_curves(path, "v001", high) is not None
    assert not path.exists()


def test_a_name_with_dollar_signs_is_no_formula(tmp_path, settling):
    curves = Curves({"val_$\\bad$": settling.columns["val_acc"], "val_loss": settling.columns["val_loss"]})
    assert draw_curves(tmp_path / "curves.png", "v001", curves) is None
