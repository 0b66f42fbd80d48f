from pathlib import Path
from textwrap import dedent

import pytest

from progtrain.errors import CaptureError
from progtrain.script.capturing.capture import CapturedFit
from tests.script.capturing.scripts import SGD, captured

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

SCRIPT = """
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import CombinedLoader
from torchmetrics.classification import MulticlassAccuracy


class Two(Net):
    def __init__(self):
        super().__init__()
        self.accuracy = MulticlassAccuracy(3)
        self.seen = []

    def validation_step(self, batch, index, dataloader_idx=0):
        self.seen.append(dataloader_idx)
        self.accuracy.update(self(batch[0]), batch[1])
        {log}


def fit(given, monitor, **options):
    best = ModelCheckpoint("out", "best", monitor=monitor)
    L.Trainer(max_epochs=1, logger=False, accelerator="cpu", callbacks=[best], **options).fit(
        Two(), loader(50), given
    )


{body}
"""
SUFFIXED = 'self.log("loss", 0.0)'
NAMED = """self.log(f"{'ab'[dataloader_idx]}/loss", 0.0, add_dataloader_idx=False)"""
ALIKE = 'self.log("loss", 0.0, add_dataloader_idx=False)'


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _captured(folder: Path, log: str, body: str) -> CapturedFit:
    return captured(folder, SCRIPT.replace("{log}", log).replace("{body}", dedent(body)), SGD)


@pytest.mark.parametrize(
    "given",
    [
        "[loader(20), loader(30)]",
        "(loader(20), loader(30))",
        "{'first': loader(20), 'second': loader(30)}",
        "CombinedLoader([loader(20), loader(30)], 'sequential')",
        "[[loader(20)], {'second': loader(30)}]",
    ],
)
@pytest.mark.parametrize(
    ("log", "monitor"),
    [(SUFFIXED, "loss/dataloader_idx_1"), (NAMED, "b/loss"), ('self.log_dict({"loss": 0.0})', "loss/dataloader_idx_1")],
)
def test_the_loader_that_the_checkpoint_watches_is_measured(tmp_path: Path, given: str, log: str, monitor: str) -> None:
    fit = _captured(tmp_path, log, f"fit({given}, {monitor!r})")
    assert len(fit.valid_loader.dataset) == 30
    assert fit.snapshot.valid is not None
    assert fit.snapshot.valid.size == 30
    (note,) = fit.snapshot.notes
    assert note.startswith("Of 2 validation loaders number 1 ")
    assert repr(monitor) in note


def test_of_one_loader_in_a_list_nothing_is_said(tmp_path: Path) -> None:
    fit = _captured(tmp_path, SUFFIXED, "fit([loader(20)], 'loss')")
    assert len(fit.valid_loader.dataset) == 20
    assert fit.snapshot.notes == ()


@pytest.mark.parametrize(
    ("log", "monitor", "why"),
    [
        (ALIKE, "loss", "is logged of 2 of them together"),
        ("pass", "loss", "is logged of none by the validation step"),
        ("raise ValueError('not yet')", "loss", "raises ValueError: not yet"),
        (SUFFIXED, "loss/dataloader_idx_7", "is logged of none"),
        (SUFFIXED, None, "no ModelCheckpoint watches any"),
    ],
)
def test_where_none_is_watched_it_is_said_that_the_first_is_measured(
    tmp_path: Path, log: str, monitor: str | None, why: str
) -> None:
    fit = _captured(tmp_path, log, f"fit({{'a': loader(20), 'b': loader(30)}}, {monitor!r})")
    assert len(fit.valid_loader.dataset) == 20
    (note,) = fit.snapshot.notes
    assert note.startswith("Of 2 validation loaders the first (a) is measured, because ")
    assert why in note


def test_looking_leaves_nothing_in_the_model(tmp_path: Path) -> None:
    model = _captured(tmp_path, NAMED, "fit([loader(20), loader(30)], 'b/loss')").model
    assert model.seen == []
    assert model.accuracy.tp.sum() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("limit_val_batches=1", "limit_val_batches=1: it validates on a part"),
        ("limit_val_batches=0", "it never validates"),
        ("limit_train_batches=0.5", "limit_train_batches=0.5: an epoch takes a part"),
        ("overfit_batches=2", "overfit_batches=2"),
    ],
)
def test_a_limit_is_told(tmp_path: Path, options: str, said: str) -> None:
    (note,) = _captured(tmp_path, SUFFIXED, f"fit(loader(20), 'loss', {options})").snapshot.notes
    assert said in note


def test_a_run_that_leaves_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="fast_dev_run=True: Lightning then writes no checkpoint"):
        _captured(tmp_path, SUFFIXED, "fit(loader(20), 'loss', fast_dev_run=True)")


@pytest.mark.parametrize(
    ("given", "batch"),
    [
        ("{'a': loader(50), 'b': loader(20)}", "batch['a']"),
        ("[loader(50), loader(20)]", "batch[0]"),
        ("CombinedLoader({'a': loader(50), 'b': loader(20)}, 'min_size')", "batch['a']"),
        ("[loader(50)]", "batch[0]"),
    ],
)
def test_the_first_step_gets_a_batch_of_every_training_loader(tmp_path: Path, given: str, batch: str) -> None:
    body = f"""
        class Many(Net):
            def training_step(self, batch, index):
                inputs, targets = {batch}
                return F.cross_entropy(self(inputs), targets)
        L.Trainer(max_epochs=1, logger=False, accelerator="cpu").fit(Many(), {given})
        """
    snapshot = _captured(tmp_path, "pass", body).snapshot
    assert snapshot.notes == ()
    assert [call.function for call in snapshot.calls] == ["linear", "relu", "dropout", "linear", "cross_entropy"]
    assert snapshot.train is not None
    assert snapshot.train.size == 50
