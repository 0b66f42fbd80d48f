"""Mixed precision where there is none."""

import pytest

from progtrain.records import Refusal

SCRIPT = "import lightning as L\ntrainer = L.Trainer(max_epochs=3)\n"
TABLE = {
    "not named": (SCRIPT, SCRIPT.replace("=3", '=3, precision="bf16-mixed"')),
    "named": (SCRIPT.replace("=3", "=3, precision='32-true'"), SCRIPT.replace("=3", "=3, precision='bf16-mixed'")),
    "a constant": (
        'PRECISION = "32"  # full\n' + SCRIPT.replace("=3", "=3, precision=PRECISION"),
        'PRECISION = "bf16-mixed"  # full\n' + SCRIPT.replace("=3", "=3, precision=PRECISION"),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("precision_bf16", *TABLE[name], value="bf16-mixed")


def test_cannot(cannot):
    cannot("precision_bf16", SCRIPT + "other = L.Trainer()\n", "Expected one call", value="bf16-mixed")


@pytest.mark.parametrize(
    ("finding", "fields", "locks", "reason"),
    [
        ("compute-bound", {"precision": "16-mixed"}, {}, "16-mixed already"),
        ("compute-bound", {}, {"precision": "32-true"}, "the rules hold precision"),
    ],
)
def test_refuses(proposed, finding, fields, locks, reason):
    refusal = proposed("precision_bf16", SCRIPT, finding, locks=locks, **fields)

    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
