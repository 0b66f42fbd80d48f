import tempfile
import time
import uuid
from datetime import datetime

import pytest

from progtrain.script.capturing.volatile import without_the_volatile


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("folder", "anything"),
        ("log_dir", "out"),
        ("run_id", "mine"),
        ("where", "Models/Artifacts/v001/epochs"),
        ("where", "/somewhere/else"),
        ("where", tempfile.gettempdir() + "/tmp3x9"),
    ],
)
def test_a_place_is_a_place_whatever_it_is(name: str, value: str) -> None:
    assert without_the_volatile(name, value) == "<place>"


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y%m%d-%H%M%S", "%H%M%S", "%b%d_%H-%M-%S", "%d.%m.%Y %H:%M"])
def test_no_two_moments_differ(form: str) -> None:
    moments = datetime(2031, 11, 2, 3, 4, 5), datetime(2031, 11, 28, 13, 44, 55)
    one, other = (without_the_volatile("tag", f"run {moment.strftime(form)}") for moment in moments)
    assert one == other


def test_no_two_ids_versions_or_clocks_differ() -> None:
    for form in (str, lambda each: each.hex, lambda each: "a1" + each.hex[:6]):
        assert without_the_volatile("tag", form(uuid.uuid4())) == "<stamp>"
    assert without_the_volatile("tag", "run-v001") == without_the_volatile("tag", "run-v012") == "run-<version>"
    assert (
        without_the_volatile("begun", time.time()) == without_the_volatile("begun", int(time.time()) - 60) == "<time>"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("monitor", "val/loss"),
        ("monitor", "valid/acc/dataloader_idx_1"),
        ("monitor", "val_top5_acc"),
        ("profile", "default"),
        ("backbone", "resnet50"),
        ("strategy", "cos"),
        ("rate", 0.01),
        ("steps", 100000),
        ("verbose", True),
        ("milestones", [10, 20]),
    ],
)
def test_what_tells_how_it_trains_stays(name: str, value: object) -> None:
    assert without_the_volatile(name, value) == value  # type: ignore[arg-type]
