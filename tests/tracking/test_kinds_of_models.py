"""Models of every kind of training are registered with the answers that plain torch gives of their checkpoint."""

import contextlib
import runpy
import sys
from pathlib import Path

import mlflow.pyfunc
import pytest
import torch

from progtrain.errors import EvaluationError
from progtrain.evaluation.asking.isolation import apart
from progtrain.evaluation.asking.models import load_exported
from progtrain.script.capturing.checkpoints import restore_weights
from progtrain.script.capturing.constructing import constructions
from progtrain.script.capturing.inside_fit import inside_fit
from progtrain.serving import ServingExample
from progtrain.tracking.model_folder import Trained, write_model

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
import argparse
import enum
import functools
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
    width: int = 5


@dataclass
class Config:
    inner: Inner = field(default_factory=Inner)
    kind: Kind = Kind.SMALL


class Model(L.LightningModule):
    def __init__({takes}):
        super().__init__()
        {begins}
        self.net = {net}

    def forward(self, x):
        {forward}

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", F.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)
{more}

def main():
    L.seed_everything(3, verbose=False)
    rows = TensorDataset(torch.randn(32, 4), torch.randint(3, (32,)))
    best = ModelCheckpoint(dirpath=".", filename="best", monitor="val_loss")
    quiet = {{"enable_progress_bar": False, "enable_model_summary": False, "logger": False}}
    trainer = L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[best], precision="{precision}", **quiet)
    trainer.fit(Model({gives}), DataLoader(rows, 8), DataLoader(rows, 8))
    return trainer


if __name__ == "__main__":
    trainer = main()
"""

PLAIN = {
    "takes": "self",
    "gives": "",
    "begins": "self.save_hyperparameters()",
    "net": "nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))",
    "forward": "return self.net(x)",
    "more": "",
    "precision": "32-true",
}
PREDICTS = {"more": "\n    def predict_step(self, batch, batch_idx):\n        return self(batch[0]).argmin(1)\n"}
BRANCHES = {"forward": "return self.net(x) if float(x.detach().sum()) < 9e9 else x"}
CONFIGURED = {
    "takes": "self, config: Config, *, bias=True",
    "gives": "Config()",
    "net": "nn.Sequential(nn.Linear(4, config.inner.width, bias), nn.Linear(config.inner.width, 3))",
}
COMPILES = {"net": 'torch.compile(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3)), backend="eager")'}
LATE = """
    def configure_model(self):
        if self.net is None:
            self.net = torch.compile(nn.Linear(4, 3), backend="eager")

    def on_save_checkpoint(self, checkpoint):
        checkpoint["scale"] = 2.0

    def on_load_checkpoint(self, checkpoint):
        self.scale = checkpoint["scale"]
"""
FROZEN = """
    strict_loading = False

    def state_dict(self, *args, **kwargs):
        return {name: value for name, value in super().state_dict(*args, **kwargs).items() if "net.0" not in name}
"""
GRAPHS = {
    "64-true": {"precision": "64-true"},
    "bf16-true": {"precision": "bf16-true"},
    "bf16-mixed": {"precision": "bf16-mixed"},
    "compiled": COMPILES,
    "dataclass": CONFIGURED,
    "weights left out": {
        "more": FROZEN,
        "net": "nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 3))",
    },
}
BESIDE = """
from dataclasses import dataclass


@dataclass
class Config:
    width: int = 5
"""
CODE = {
    "64-true": {"precision": "64-true", **BRANCHES},
    "bf16-true": {"precision": "bf16-true", **BRANCHES},
    "bf16-mixed, by predict_step": {"precision": "bf16-mixed", **PREDICTS},
    "compiled": {**COMPILES, **BRANCHES},
    "made in configure_model, told on_load_checkpoint": {
        "net": "None",
        "more": LATE,
        "begins": "self.scale = 2.0",
        "forward": "return self.net(x) * self.scale if float(x.detach().sum()) < 9e9 else x",
    },
    "dataclass, by predict_step": {**CONFIGURED, **PREDICTS},
    "dataclass of a module beside": {
        "takes": "self, config",
        "gives": "Model.parts.Config()",
        "net": "nn.Sequential(nn.Linear(4, config.width), nn.Linear(config.width, 3))",
        "more": PREDICTS["more"] + "\n    import parts\n",
    },
    "dataclass, not saved": {**CONFIGURED, **PREDICTS, "begins": "pass"},
    "namespace": {
        **PREDICTS,
        "takes": "self, args",
        "begins": "self.save_hyperparameters(args)",
        "gives": "argparse.Namespace(width=5, kind=Kind.SMALL, at=Path('a'), rate=np.float64(1), kinds=[dict, float])",
        "net": "nn.Sequential(nn.Linear(4, args.width), nn.Linear(args.width, 3))",
    },
    "module and partial": {
        **PREDICTS,
        "takes": "self, body, head",
        "begins": 'self.save_hyperparameters(ignore=["body"])',
        "gives": "nn.Sequential(nn.Linear(4, 5), nn.GELU()), functools.partial(nn.Linear, 5)",
        "net": "nn.Sequential(body, head(out_features=3))",
    },
    "weights left out": {**BRANCHES, **GRAPHS["weights left out"]},
}


def registered(folder: Path, **parts: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows, and what plain torch makes of them with the weights of a training; `folder`/model is the written model."""
    script = folder / "02_train_v001.py"
    (folder / "parts.py").write_text(BESIDE)
    script.write_text(SCRIPT.format(**{**PLAIN, **parts}))

    def work(send):
        sys.path.insert(0, str(folder))  # as python does it for a script
        with contextlib.chdir(folder):
            rows = torch.linspace(-1, 1, 24).reshape(6, 4)
            expected = outputs(runpy.run_path(script.name, run_name="__main__")["trainer"], rows)
            send((rows, expected))
            answers = expected.argmin(1) if "predict_step" in script.read_text() else expected.argmax(1)
            example = ServingExample(
                task="classification",
                layout="tensor",
                names=("inputs",),
                varying=((),),
                classes=(),
                symbols=(),
                predicts="predict_step" in script.read_text(),
                threads=1,
                device="cpu",
                answers=tuple(
                    {"answer": int(a), "scores": row.tolist()} for a, row in zip(answers, expected, strict=True)
                ),
            )
            stated = {"inputs": rows.double().numpy() if parts.get("precision") == "64-true" else rows.numpy()}

            def write(fit):
                restore_weights(fit.model, Path("best.ckpt"), fit.datamodule)
                arguments, precision = built.get(id(fit.model), {}), fit.trainer.precision
                made = Trained(fit.model, script, folder / "best.ckpt", example, stated, arguments, precision)
                write_model(made, folder / "model")

            with constructions() as built:
                inside_fit(Path(script.name), write)

    torch.set_num_threads(1)
    (found,) = apart(work)
    return found


def outputs(trainer, rows):
    """By the trained module itself, in the numbers that its precision names."""
    kind = {"64-true": torch.float64, "bf16-true": torch.bfloat16}.get(trainer.precision, torch.float32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=trainer.precision == "bf16-mixed"):
        return trainer.lightning_module.eval()(rows.to(kind)).float()


@pytest.mark.parametrize(("form", "kind"), [*(("pt2", kind) for kind in GRAPHS), *(("code", kind) for kind in CODE)])
def test_a_registered_model_answers_as_plain_torch_does(tmp_path: Path, form: str, kind: str) -> None:
    parts = GRAPHS[kind] if form == "pt2" else CODE[kind]
    rows, expected = registered(tmp_path, **parts)
    assert ("pt2" if list((tmp_path / "model").rglob("*.pt2")) else "code") == form
    (tmp_path / "best.ckpt").unlink()
    given = rows.double() if parts.get("precision") == "64-true" else rows
    told = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(given.numpy())
    torch.testing.assert_close(torch.tensor([each["scores"] for each in told]), expected, rtol=1e-4, atol=1e-5)


def test_a_half_model_measured_again_takes_what_its_loader_gives(tmp_path: Path) -> None:
    rows, expected = registered(tmp_path, precision="bf16-true")
    with torch.no_grad():
        again = load_exported(tmp_path / "model")(rows.bfloat16())
    torch.testing.assert_close(again.float(), expected, rtol=1e-2, atol=1e-2)


def test_what_cannot_be_built_again_says_what_to_do(tmp_path: Path) -> None:
    parts = {**PREDICTS, "takes": "self, rows", "gives": "torch.Generator()", "begins": "pass"}
    with pytest.raises(EvaluationError, match=r"torch\..*Generator.*plain values, or objects of the script's own"):
        registered(tmp_path, **parts)
    assert not (tmp_path / "model").exists()
