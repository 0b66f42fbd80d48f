"""A checkpoint that keeps the worst for the best is told."""

import pytest

from progtrain.records import CheckpointSettings, Snapshot
from progtrain.script.auditing.monitored import check_directions


@pytest.mark.parametrize(
    ("monitor", "mode", "told"),
    [
        ("val_acc", "min", "keeps the lowest val_acc; write mode='max'"),
        ("valid/MulticlassF1Score", "min", ""),
        ("val/f1", "min", "keeps the lowest val/f1; write mode='max'"),
        ("val_loss", "max", "keeps the highest val_loss; write mode='min'"),
        ("val_loss", "min", ""),
        ("val_acc", "max", ""),
        ("val_acc_loss", "min", ""),
        ("val_acc_error", "max", ""),
        ("score", "min", ""),
        (None, "min", ""),
    ],
)
def test_the_direction_of_what_is_watched(monitor, mode, told):
    kept = CheckpointSettings(dirpath=None, filename="best", monitor=monitor, mode=mode, save_last=False)
    snapshot = Snapshot.model_construct(checkpoints=(kept,))
    messages = [issue.message for issue in check_directions(snapshot).issues]
    assert messages == ([f"the ModelCheckpoint of best {told} if the other is better"] if told else [])
    assert not any(issue.needed or issue.patched for issue in check_directions(snapshot).issues)
