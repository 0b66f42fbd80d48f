"""What a script says of its arguments is passed on."""

from pathlib import Path

import pytest

from progtrain.steps.failure import usage_error


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "usage: train.py [-h] --data-dir DIR\ntrain.py: error: the following arguments are required: --data-dir\n",
            "the following arguments are required: --data-dir",
        ),
        (
            "Usage: train.py [OPTIONS]\nTry 'train.py --help' for help.\n\nError: Missing option '--epochs'.\n",
            "Missing option '--epochs'",
        ),
        ("epoch 3: error: 0.25\n", ""),
        ("", ""),
    ],
)
def test_what_argparse_and_click_say(tmp_path: Path, log: str, said: str) -> None:
    (tmp_path / "capture.log").write_text(log)
    assert usage_error(tmp_path / "capture.log") == said
