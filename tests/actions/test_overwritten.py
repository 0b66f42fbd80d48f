"""What something else sets than the line that seems to is changed by no action, and says so."""

import pytest

from progtrain.records import Overwritten, Refusal

SCRIPT = """\
import torch

LR = 0.01


class Net:
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)
"""


@pytest.mark.parametrize("action", ["raise_learning_rate", "lower_learning_rate", "add_weight_decay", "momentum"])
def test_what_a_checkpoint_restores(proposed, action):
    restored = tuple(
        Overwritten(knob=knob, by="which is restored from the checkpoint that ckpt_path names", known=True)
        for knob in ("lr", "weight_decay", "momentum")
    )
    refusal = proposed(action, SCRIPT, "slow", overwritten=restored)
    assert isinstance(refusal, Refusal)
    assert not refusal.by_rule
    assert "restored from the checkpoint that ckpt_path names" in refusal.reason


@pytest.mark.parametrize("action", ["raise_learning_rate", "one_cycle", "cosine_schedule", "warmup"])
def test_what_is_found_anew(proposed, action):
    found = Overwritten(knob="lr", by="Tuner.lr_find in line 7 finds it anew in every training", known=False)
    refusal = proposed(action, SCRIPT, "slow", overwritten=(found,))
    assert isinstance(refusal, Refusal)
    assert "Tuner.lr_find in line 7" in refusal.reason
