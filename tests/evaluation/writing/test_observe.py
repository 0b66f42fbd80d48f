"""Of several validation loaders the watched one is observed, under the names that it is logged by."""

import json

import pytest

from progtrain.evaluation.asking.isolation import apart, one_thread
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.observe import observe_version
from progtrain.workspace import Workspace
from tests.script.capturing.scripts import written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def observed(root):
    with one_thread():
        version, task = "v001", "classification"
        (sent,) = apart(lambda send: send(observe_version(Workspace(root), version, task).model_dump_json()))
    return Observation.model_validate(json.loads(sent))


BODY = """
class Two(Net):
    def validation_step(self, batch, index, dataloader_idx{default}):
        logits, name = self(batch[0]), ("seen", "valid")[dataloader_idx]
        {log}


best = L.pytorch.callbacks.ModelCheckpoint("out", "best", monitor={monitor!r})
trainer = L.Trainer(max_epochs=1, logger=False, accelerator="cpu", callbacks=[best], enable_progress_bar=False)
trainer.fit(Two(), loader(50), {given})
"""
FIGURES = "F.cross_entropy(logits, batch[1])", "(logits.argmax(1) == batch[1]).float().mean()"
SUFFIXED = 'self.log("val_loss", {}); self.log("val_acc", {})'.format(*FIGURES)
NAMED = 'self.log("loss/" + name, {}, add_dataloader_idx=False); self.log("acc/" + name, {}, add_dataloader_idx=False)'
STEPS = 'self.log_dict({{"val_loss": {}, "val_acc": {}}}, on_step=True, on_epoch=True)'.format(*FIGURES)
SHAPES = {
    "a suffix": (SUFFIXED, "val_loss/dataloader_idx_1", "val_loss/dataloader_idx_1", "val_acc/dataloader_idx_1"),
    "names of its own": (NAMED.format(*FIGURES), "acc/valid", "loss/valid", "acc/valid"),
    "no word of validation": (
        SUFFIXED.replace("val_", ""),
        "acc/dataloader_idx_1",
        "loss/dataloader_idx_1",
        "acc/dataloader_idx_1",
    ),
    "with and without": (
        SUFFIXED + f'; self.log("acc", 0.5 * {FIGURES[1]})',
        "val_loss/dataloader_idx_1",
        "val_loss/dataloader_idx_1",
        "val_acc/dataloader_idx_1",
    ),
    "step and epoch": (
        STEPS,
        "val_acc_epoch/dataloader_idx_1",
        "val_loss_epoch/dataloader_idx_1",
        "val_acc_epoch/dataloader_idx_1",
    ),
}


@pytest.mark.parametrize("given", ["[loader(20), loader(30)]", "{'seen': loader(20), 'valid': loader(30)}"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_watched_loaders_names(tmp_path, shape, given):
    log, monitor, loss, accuracy = SHAPES[shape]
    body = BODY.format(log=log, monitor=monitor, given=given, default="=0" if shape == "a suffix" else "")
    written(tmp_path, "import lightning as L", body)
    seen = observed(tmp_path)
    assert seen.lacking == {}
    assert seen.logged == {"loss": loss, "accuracy": accuracy}
    assert "number 1" in seen.which


COUNTED = """
class Counted(Net):
    def validation_step(self, batch, index):
        x, y, counts = batch
        logits = self(x)
        each = F.cross_entropy(logits, y, reduction="none")
        self.log("val_loss", (each * counts).sum() / counts.sum())
        {log}


rows = [(torch.randn(6), i % 3, torch.tensor(i % 2.0)) for i in range(40)]
loaders = [torch.utils.data.DataLoader(rows, batch_size=10) for _ in range(2)]
L.Trainer(max_epochs=1, logger=False, accelerator="cpu", enable_progress_bar=False).fit(Counted(), *loaders)
"""


@pytest.mark.parametrize(
    ("log", "lacking", "logged"),
    [
        ("", {"split", "predict"}, {}),
        ('self.log("val_acc", (logits.argmax(1) == y).float().mean())', set(), {"accuracy": "val_acc"}),
    ],
)
def test_a_loss_of_more_parts_of_the_batch_needs_a_figure_that_tells_what_counts(tmp_path, log, lacking, logged):
    written(tmp_path, "import lightning as L", COUNTED.format(log=log))
    seen = observed(tmp_path)
    assert (set(seen.lacking), seen.logged) == (lacking, logged)
    assert seen.loss_reason == "it needs batch[2] too"
    assert seen.candidates == (
        ("batch[0] [7, 6] float32", "batch[1] [7] int64", "batch[2] [7] float32") if lacking else ()
    )


AVERAGED = """
import copy


class Averaged(Net):
    def __init__(self):
        super().__init__()
        self.teacher = copy.deepcopy(self.net)

    def validation_step(self, batch, index):
        self.log("val_loss", F.cross_entropy(self.teacher(batch[0]), batch[1]))


trainer = L.Trainer(max_epochs=1, logger=False, accelerator="cpu", enable_progress_bar=False)
trainer.fit(Averaged(), loader(20), loader(20))
"""


def test_a_copy_of_the_network_is_not_taken_for_the_network_though_untrained_they_are_equal(tmp_path):
    written(tmp_path, "import lightning as L", AVERAGED)
    assert observed(tmp_path).outputs == ("return model.teacher(inputs)",)
