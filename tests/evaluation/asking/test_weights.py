from __future__ import annotations

from pathlib import Path

import pytest
import torch

from progtrain.evaluation.asking.weights import weights_sha256

WEIGHTS = {"a": torch.tensor([[1.0, -2.0]]), "b": torch.tensor(3)}


def digest(folder: Path, state: object) -> str | None:
    path = folder / "best.ckpt"
    torch.save({"state_dict": state, "epoch": 3}, path)
    return weights_sha256(path)


@pytest.mark.parametrize(
    ("state", "same"),
    [
        (dict(reversed(WEIGHTS.items())), True),
        ({"a": torch.tensor([[1.0], [-2.0]]).T, "b": torch.tensor(3)}, True),
        ({**WEIGHTS, "a": torch.tensor([[1.0, -2.0000002]])}, False),
        ({**WEIGHTS, "a": torch.tensor([[1.0], [-2.0]])}, False),
        ({**WEIGHTS, "b": torch.tensor(3, dtype=torch.int32)}, False),
        ({"a": WEIGHTS["a"], "c": WEIGHTS["b"]}, False),
        ({**WEIGHTS, "c": torch.empty(0)}, False),
        ({**WEIGHTS, "a": WEIGHTS["a"].bfloat16()}, False),
    ],
)
def test_weights_are_the_same_bit_for_bit_or_not(tmp_path: Path, state: dict[str, torch.Tensor], same: bool) -> None:
    assert (digest(tmp_path, state) == digest(tmp_path, WEIGHTS)) is same


@pytest.mark.parametrize("state", [{**WEIGHTS, "extra": {"x": 1}}, {"a": torch.eye(2).to_sparse()}, None])
def test_what_is_no_plain_tensor_is_not_told_apart(tmp_path: Path, state: object) -> None:
    assert digest(tmp_path, state) is None
