"""A version whose script is that of an earlier one says nothing: a change that was taken back is no improvement."""

import json
from pathlib import Path

from .conftest import Run, write_rules


def by_hand(root: Path, version: str, *edit: str) -> None:
    source = (root / "02_train_v001.py").read_text().replace('VERSION = "v001"', f'VERSION = "{version}"')
    if edit:
        assert edit[0] in source
        source = source.replace(*edit)
    (root / f"02_train_{version}.py").write_text(source)


def test_going_back_is_neither_better_nor_worse(workspace: Path, progtrain: Run) -> None:
    write_rules(workspace, max_versions=3)
    assert progtrain("run", workspace, "--max-versions", "1").returncode == 0
    by_hand(workspace, "v002", "nn.ReLU()", "nn.Tanh()")
    assert progtrain("run", workspace, "--max-versions", "2").returncode == 0
    by_hand(workspace, "v003")
    ended = progtrain("run", workspace, "--max-versions", "3")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    records = [json.loads((workspace / f".progtrain/{each}/analyze.json").read_text()) for each in ("v002", "v003")]
    assert records[0]["comparison"]["difference"] == -records[1]["comparison"]["difference"]
    assert records[1]["comparison"]["verdict"] == "within noise"
    assert "(within noise: its script is that of v001)" in ended.stdout
