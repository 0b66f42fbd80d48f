"""Checkpoints of every kind, trained for real, are loaded as Lightning loads them."""

import contextlib
import runpy
from pathlib import Path

import pytest
import torch

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.isolation import apart
from progtrain.script.capturing.checkpoints import (
    plain_content,
    read_checkpoint,
    rehearse_restoring,
    restore_weights,
)
from progtrain.script.capturing.inside_fit import inside_fit

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
import argparse
import enum
import functools
import io
from dataclasses import dataclass, field
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Kind(enum.Enum):
    SMALL = 1


@dataclass
class Inner:
    rate: float = 0.1


@dataclass
class Config:
    inner: Inner = field(default_factory=Inner)
    kind: Kind = Kind.SMALL


class Writing:
    def __reduce__(self):
        return io.FileIO, ("written", "w")


class Model(L.LightningModule):
{extra}
    def __init__(self, config=None):
        super().__init__()
        self.save_hyperparameters()
        self.net = {net}

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return F.mse_loss(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.mse_loss(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


L.seed_everything(3, verbose=False)
rows = TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
best = ModelCheckpoint(dirpath=".", filename="best", monitor="val_loss")
quiet = {{"enable_progress_bar": False, "enable_model_summary": False, "logger": False}}
trainer = L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[best], precision="{precision}", **quiet)
trainer.fit(Model({config}), DataLoader(rows, 8), DataLoader(rows, 8))
"""

BUFFER = """
    def on_fit_start(self):
        self.register_buffer("seen", torch.full((2,), 5.0))

    def on_load_checkpoint(self, checkpoint):
        self.told = checkpoint["told"]

    def on_save_checkpoint(self, checkpoint):
        checkpoint["told"] = 7
"""
FIRST_BATCH = """
    def on_fit_start(self):
        self.register_buffer("seen", None)

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.seen, self.told = torch.full((2,), 5.0), 7
"""
OWN_OBJECT = BUFFER.replace('checkpoint["told"] = 7', 'checkpoint["told"] = Inner(7)').replace(
    'checkpoint["told"]\n', 'checkpoint["told"].rate\n', 1
)
FOREIGN_OBJECT = BUFFER.replace('checkpoint["told"] = 7', 'checkpoint["told"] = torch.Generator()').replace(
    'checkpoint["told"]\n', 'checkpoint["told"].initial_seed()\n', 1
)
WRITING = """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["told"] = Writing()
"""
LOOSE = """
    strict_loading = False

    def state_dict(self, *args, **kwargs):
        return {name: value for name, value in super().state_dict(*args, **kwargs).items() if "0." not in name}
"""
TWO_LAYERS = "nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 1))"
KINDS = {
    "plain": {},
    "64-true": {"precision": "64-true"},
    "bf16-true": {"precision": "bf16-true"},
    "compiled": {"net": f'torch.compile({TWO_LAYERS}, backend="eager")'},
    "buffer made on_fit_start": {"extra": BUFFER},
    "not strict": {"extra": LOOSE},
    "an object of its own": {"extra": OWN_OBJECT},
    "dataclass": {"config": "Config()"},
    "namespace": {"config": "argparse.Namespace(lr=0.1, kind=Kind.SMALL)"},
    "partial": {"config": "functools.partial(torch.optim.SGD, lr=0.1)"},
    "module": {"config": "nn.Linear(2, 2)"},
    "paths and numbers": {"config": '{"path": Path("a"), "number": np.float64(2.0), "type": np.dtype("float32")}'},
}


def written(folder: Path, **parts: str) -> Path:
    given = {"extra": "", "net": TWO_LAYERS, "precision": "32-true", "config": ""} | parts
    path = folder / "02_train_v001.py"
    path.write_text(SCRIPT.format(**given))
    return path


def answers(script: Path) -> dict[str, object]:
    """What a training leaves in its model, and what a new model answers once best.ckpt is loaded."""

    def work(send):
        with contextlib.chdir(script.parent):
            trained = runpy.run_path(script.name, run_name="__main__")["trainer"].lightning_module.eval()
            rows = torch.linspace(-1, 1, 12).reshape(3, 4).to(next(trained.parameters()).dtype)
            with torch.no_grad():
                send(trained(rows))

            def ask(fit):
                with torch.no_grad():
                    for weight in fit.model.parameters():
                        weight.add_(0.0 if fit.model.strict_loading is False else 1.0)
                restore_weights(fit.model, Path("best.ckpt"))
                with fit.answering():
                    send(fit.model(rows))
                send({"told": getattr(fit.model, "told", None), "seen": getattr(fit.model, "seen", None)})

            inside_fit(Path(script.name), ask)

    torch.set_num_threads(1)
    trained, restored, rest = apart(work)
    return {"trained": trained, "restored": restored, **rest}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "not strict"])
def test_the_weights_of_the_training_are_there_again(kind: str, tmp_path: Path) -> None:
    found = answers(written(tmp_path, **KINDS[kind]))
    assert found["trained"].dtype == found["restored"].dtype
    assert torch.allclose(found["trained"], found["restored"], atol=1e-6)
    if "extra" in KINDS[kind]:
        assert (found["told"], found["seen"].tolist()) == (7, [5.0, 5.0])


def test_a_module_that_loads_a_part_of_its_weights_is_left_to(tmp_path: Path) -> None:
    found = answers(written(tmp_path, **KINDS["not strict"]))
    assert found["restored"].shape == found["trained"].shape


def test_what_does_not_fit_says_what_to_do(tmp_path: Path) -> None:
    answers(written(tmp_path))
    with pytest.raises(
        EvaluationError, match=r"net\.0\.weight \[5, 4\] for \[5, 3\].*in configure_model, or in on_load_checkpoint"
    ):
        restore_weights(
            torch.nn.ModuleDict({"net": torch.nn.Sequential(torch.nn.Linear(3, 5))}), tmp_path / "best.ckpt"
        )


def test_compiled_parts_are_known_by_their_own_names(tmp_path: Path) -> None:
    answers(written(tmp_path, **KINDS["compiled"]))
    layers = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 1))
    restore_weights(torch.nn.ModuleDict({"net": layers}), tmp_path / "best.ckpt")
    assert torch.equal(
        layers[0].weight, read_checkpoint(tmp_path / "best.ckpt")["state_dict"]["net._orig_mod.0.weight"]
    )


def test_what_is_plain_and_not_the_trainings_own_is_kept(tmp_path: Path) -> None:
    answers(written(tmp_path, **KINDS["dataclass"]))
    kept = plain_content(read_checkpoint(tmp_path / "best.ckpt"))
    assert {*kept} == {"epoch", "global_step", "pytorch-lightning_version", "hparams_name"}
    assert plain_content({"told": [1, {"a": torch.ones(1)}], "object": [object()]}) == {
        "told": [1, {"a": torch.ones(1)}]
    }


def test_buffers_that_the_first_batch_gave_a_value_have_it(tmp_path: Path) -> None:
    assert answers(written(tmp_path, extra=FIRST_BATCH))["seen"].tolist() == [5, 5]


def rehearsed(script: Path) -> None:
    """Rehearse the checkpoint of a script in a process of its own."""

    def work(send):
        def rehearse(fit):
            rehearse_restoring(fit.trainer, fit.model, fit.datamodule)
            send([weight.sum() for weight in fit.model.parameters()])

        with contextlib.chdir(script.parent):
            inside_fit(Path(script.name), rehearse)

    torch.set_num_threads(1)
    list(apart(work))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "compiled"])
def test_what_can_be_loaded_is_known_before_any_training(kind: str, tmp_path: Path) -> None:
    rehearsed(written(tmp_path, **KINDS[kind]))
    assert not (tmp_path / "best.ckpt").exists()


UNFIT = {
    "objects of others": (FOREIGN_OBJECT, "on_load_checkpoint of the script cannot take .*'Inert' object has no"),
    "a weight that is left out": (
        LOOSE.replace("strict_loading = False", ""),
        r"best\.ckpt does not fit .* Missing key.*net\.0\.bias",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_cannot_be_loaded_is_refused_before_any_training(kind: str, tmp_path: Path) -> None:
    extra, said = UNFIT[kind]
    with pytest.raises(EvaluationError, match=f"could not be measured: {said}"):
        rehearsed(written(tmp_path, extra=extra))


def test_what_python_itself_has_is_not_the_scripts_own(tmp_path: Path) -> None:
    rehearsed(written(tmp_path, extra=WRITING))
    assert not (tmp_path / "written").exists()


def test_a_hook_that_cannot_save_yet_says_nothing(tmp_path: Path) -> None:
    rehearsed(written(tmp_path, extra=BUFFER.replace('checkpoint["told"] = 7', 'checkpoint["told"] = self.losses[-1]')))


def test_a_datamodule_gets_its_state(tmp_path: Path) -> None:
    class Data:
        def load_state_dict(self, state):
            self.vocabulary = state["vocabulary"]

    model, data = torch.nn.Linear(2, 2), Data()
    state = {"state_dict": model.state_dict(), Data.__qualname__: {"vocabulary": ["a", "b"]}}
    torch.save(state, tmp_path / "best.ckpt")
    restore_weights(model, tmp_path / "best.ckpt", data)
    assert data.vocabulary == ["a", "b"]
