import sys
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from progtrain.errors import CaptureError
from progtrain.records import Snapshot
from progtrain.script.capturing.capture import capture_fit, main
from tests.script.capturing.scripts import TRAINER, captured, written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


OPTIMIZERS = "return torch.optim.SGD(self.parameters(), lr=self.lr)"

SHAPES = {
    "at module level": f"{TRAINER}.fit(Net(), loader(50, True), loader(20))",
    "in main": f"""
        def main():
            train, valid = loader(50, True), loader(20)
            {TRAINER}.fit(model=Net(), train_dataloaders=train, val_dataloaders=valid)

        if __name__ == "__main__":
            main()
        """,
    "argparse and except Exception": f"""
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.05)
        args = parser.parse_args()
        try:
            {TRAINER}.fit(Net(args.lr), loader(50, True), loader(20))
        except Exception:
            raise SystemExit("caught")
        """,
    "data module": f"""
        class Data(L.LightningDataModule):
            def setup(self, stage):
                self.size = 50
            def train_dataloader(self):
                return loader(self.size, True)
            def val_dataloader(self):
                return loader(20)
        {TRAINER}.fit(Net(), datamodule=Data())
        """,
    "data module in the loaders' place": f"""
        class Data(L.LightningDataModule):
            def train_dataloader(self):
                return loader(50, True)
            def val_dataloader(self):
                return [loader(20)]
        {TRAINER}.fit(Net(), Data())
        """,
    "loaders of the model": f"""
        class Whole(Net):
            def train_dataloader(self):
                return loader(50, True)
            def val_dataloader(self):
                return loader(20)
        {TRAINER}.fit(Whole())
        """,
    "a Trainer of its own": """
        class Mine(L.Trainer):
            def fit(self, *args, **kwargs):
                super().fit(*args, **kwargs)
        Mine(max_epochs=2, logger=False, enable_checkpointing=False, accelerator="cpu").fit(
            Net(), loader(50, True), loader(20)
        )
        """,
    "a bare except around fit": f"""
        try:
            {TRAINER}.fit(Net(), loader(50, True), loader(20))
        except:
            pass
        """,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_script_gives_the_same_snapshot(tmp_path: Path, shape: str) -> None:
    fit = captured(tmp_path, SHAPES[shape], OPTIMIZERS)
    snapshot = fit.snapshot
    assert snapshot.notes == ()
    assert snapshot.max_epochs == 2
    assert snapshot.optimizers[0].groups[0]["lr"] == 0.05
    assert snapshot.train is not None
    assert (snapshot.train.size, snapshot.train.batch_size, snapshot.train.shuffle) == (50, 10, True)
    assert snapshot.valid is not None
    assert (snapshot.valid.size, snapshot.valid.shuffle) == (20, False)
    assert [call.function for call in snapshot.calls] == ["linear", "relu", "dropout", "linear", "cross_entropy"]
    assert snapshot.parameters == 6 * 16 + 16 + 16 * 3 + 3
    assert snapshot.first_loss == pytest.approx(1.1, abs=0.5)
    assert fit.model(torch.zeros(1, 6)).shape == (1, 3)
    assert len(fit.valid_loader.dataset) == 20


def test_training_is_not_begun_and_nothing_is_written(tmp_path: Path) -> None:
    body = "L.Trainer(max_epochs=2, default_root_dir='out', accelerator='cpu').fit(Net(), loader(50), loader(20))"
    fit = captured(tmp_path, body, OPTIMIZERS)
    assert [path.name for path in tmp_path.iterdir()] == ["02_train_v001.py"]
    assert fit.trainer.global_step == 0


def test_the_other_lightning_package(tmp_path: Path) -> None:
    script = written(
        tmp_path,
        "import pytorch_lightning as pl\nimport local_part",
        "pl.Trainer(max_epochs=local_part.EPOCHS, logger=False, accelerator='cpu').fit(Net(), loader(50))",
        "pl.LightningModule",
    )
    (tmp_path / "local_part.py").write_text("EPOCHS = 7\n")
    for _ in range(2):  # the package is imported the first time, and there already the second
        snapshot = capture_fit(script).snapshot
        assert snapshot.max_epochs == 7
        assert snapshot.valid is None
    assert "local_part" not in sys.modules


def test_settings_are_those_of_construction(tmp_path: Path) -> None:
    snapshot = captured(
        tmp_path,
        """
        L.seed_everything(7, verbose=False)
        L.Trainer(
            max_epochs=4, logger=L.pytorch.loggers.CSVLogger("out", name="logs"), accelerator="cpu",
            gradient_clip_val=1.0, accumulate_grad_batches=2,
            callbacks=[
                L.pytorch.callbacks.EarlyStopping("valid_loss", patience=5),
                L.pytorch.callbacks.ModelCheckpoint("out", "best", monitor="valid_loss", save_last=True),
            ],
        ).fit(Net(), loader(50, True), loader(20))
        """,
        """
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr)
        steps = self.trainer.estimated_stepping_batches
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3 * self.lr, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
        """,
    ).snapshot
    (optimizer,) = snapshot.optimizers
    assert optimizer.type == "AdamW"
    assert optimizer.groups[0]["lr"] == 0.05  # OneCycleLR has overwritten it with max_lr / 25 by then
    assert optimizer.groups[0]["betas"] == [0.9, 0.999]
    (scheduler,) = snapshot.schedulers
    assert scheduler.type == "OneCycleLR"
    assert scheduler.interval == "step"
    assert scheduler.arguments["max_lr"] == pytest.approx(0.15)
    assert scheduler.arguments["total_steps"] == 3 * 4
    assert snapshot.seed == 7
    assert (snapshot.gradient_clip_val, snapshot.accumulate_grad_batches) == (1.0, 2)
    assert snapshot.callbacks == ("EarlyStopping(monitor='valid_loss', patience=5)", "ModelCheckpoint")
    assert (snapshot.checkpoints[0].filename, snapshot.checkpoints[0].save_last) == ("best", True)
    assert str(snapshot.loggers[0].log_dir).endswith("logs/version_0")


def test_schedulers_can_still_be_built_afterwards(tmp_path: Path) -> None:
    captured(tmp_path, f"{TRAINER}.fit(Net(), loader(50))", OPTIMIZERS)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    torch.optim.lr_scheduler.StepLR(optimizer, step_size=3)


def test_a_lambda_is_described_by_its_code_and_the_numbers_it_reads(tmp_path: Path) -> None:
    def schedule(warmup: int) -> object:
        optimizers = f"""
        warmup = {warmup}
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / warmup))]
        """
        snapshot = captured(tmp_path, f"{TRAINER}.fit(Net(), loader(50))", optimizers).snapshot
        return snapshot.schedulers[0].arguments["lr_lambda"]

    assert schedule(10) == schedule(10)
    assert schedule(10) != schedule(20)


def test_random_augmentation_has_no_fingerprint_and_validation_has(tmp_path: Path) -> None:
    body = """
        class Noisy(torch.utils.data.Dataset):
            def __len__(self):
                return 30
            def __getitem__(self, index):
                return torch.randn(6), index % 3
        """
    fit = f"{TRAINER}.fit(Net(), DataLoader(Noisy(), batch_size=5), loader(20))"
    snapshot = captured(tmp_path, dedent(body) + fit, OPTIMIZERS).snapshot
    assert snapshot.train is not None
    assert snapshot.train.fingerprint is None
    assert snapshot.valid is not None
    again = captured(tmp_path, f"{TRAINER}.fit(Net(), loader(50), loader(20))", OPTIMIZERS).snapshot.valid
    assert again is not None
    assert snapshot.valid.fingerprint == again.fingerprint is not None
    other = captured(tmp_path, f"{TRAINER}.fit(Net(), loader(50), loader(21))", OPTIMIZERS).snapshot.valid
    assert other is not None
    assert other.fingerprint != again.fingerprint


def test_a_power_written_as_an_operator_is_noted(tmp_path: Path) -> None:
    body = f"""
        class Squared(Net):
            def training_step(self, batch, index):
                return (self(batch[0]) ** 2).mean()
        {TRAINER}.fit(Squared(), loader(50))
        """
    snapshot = captured(tmp_path, body, OPTIMIZERS).snapshot
    assert snapshot.notes == ()
    assert [call.function for call in snapshot.calls][-2:] == ["pow", "mean"]


def test_a_first_step_that_fails_is_a_note(tmp_path: Path) -> None:
    body = f"""
        class Late(Net):
            def on_train_start(self):
                self.weight = torch.ones(3)
            def training_step(self, batch, index):
                return F.cross_entropy(self(batch[0]), batch[1], weight=self.weight)
        {TRAINER}.fit(Late(), loader(50))
        """
    snapshot = captured(tmp_path, body, OPTIMIZERS).snapshot
    assert snapshot.calls == ()
    assert snapshot.first_loss is None
    assert "The first step failed: AttributeError" in snapshot.notes[0]


def test_manual_optimization_is_noted(tmp_path: Path) -> None:
    body = f"""
        model = Net()
        model.automatic_optimization = False
        {TRAINER}.fit(model, loader(50))
        """
    snapshot = captured(tmp_path, body, OPTIMIZERS).snapshot
    assert not snapshot.automatic_optimization
    assert "Manual optimization" in snapshot.notes[0]
    assert snapshot.batch == [{"shape": [10, 6], "dtype": "float32"}, {"shape": [10], "dtype": "int64"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1\nraise ValueError('no data')", r"raised ValueError: no data in line \d+"),
        ("raise ValueError('\\n\\n  no data\\nat all')", r"raised ValueError: no data in line \d+"),
        ("x = (", "raised SyntaxError"),
        ("print('nothing here')", "Expected 02_train_v001.py to call Trainer.fit; it ended without"),
        ("raise SystemExit(3)", "it exited with 3"),
        (f"{TRAINER}.fit(Net())", "raised MisconfigurationException"),
    ],
)
def test_what_went_wrong_is_said(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(CaptureError, match=message):
        captured(tmp_path, body, OPTIMIZERS)
    assert sys.modules["__main__"].__name__ == "__main__"


def test_the_seed_is_what_the_script_chose(tmp_path: Path) -> None:
    fit = f"{TRAINER}.fit(Net(), loader(50))"
    assert captured(tmp_path, fit, OPTIMIZERS).snapshot.seed is None
    assert captured(tmp_path, f"torch.manual_seed(5)\n{fit}", OPTIMIZERS).snapshot.seed == 5
    assert captured(tmp_path, f"L.seed_everything(6, verbose=False)\n{fit}", OPTIMIZERS).snapshot.seed == 6


def test_the_command_writes_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "import lightning as L", f"{TRAINER}.fit(Net(), loader(50))")
    monkeypatch.setattr(sys, "argv", ["capture", "02_train_v001.py", "--output", "snapshot.json"])
    main()
    assert Snapshot.model_validate_json((tmp_path / "snapshot.json").read_text()).parameters == 163


def test_the_command_shows_the_scripts_own_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.py").write_text("def load():\n    raise OSError('no such data')\n\nload()\n")
    monkeypatch.setattr(sys, "argv", ["capture", "bad.py", "--output", "snapshot.json"])
    with pytest.raises(SystemExit, match="1"):
        main()
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "bad.py raised OSError: no such data in line 2, before Trainer.fit."
    assert [line for line in lines if line.startswith("  File")] == [
        f'  File "{tmp_path}/bad.py", line 4, in <module>',
        f'  File "{tmp_path}/bad.py", line 2, in load',
    ]
    assert not (tmp_path / "snapshot.json").exists()
