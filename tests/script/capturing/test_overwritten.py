from pathlib import Path
from textwrap import dedent, indent

import pytest
import torch

from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.auditing.settings import contradictions, hold_settings, locks_on
from tests.script.capturing.scripts import SGD, TRAINER, captured

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

RULES = Rules.model_validate({"training_config": {"lr": 0.003}})


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _snapshot(folder: Path, body: str, optimizers: str = SGD, inside: str = "") -> Snapshot:
    own = f"class Own(Net):\n    pass\n{indent(dedent(inside), '    ')}\n"
    return captured(folder, own + dedent(body), optimizers).snapshot


FINDERS = {
    "lr_find": ("Tuner(own).lr_find(model, loader(50))", "Tuner.lr_find in line"),
    "its suggestion": (
        "found = Tuner(own).lr_find(model, loader(50), update_attr=False)\nfound.plot(suggest=True)\n"
        "model.lr = found.suggestion()",
        "Tuner.lr_find in line",
    ),
    "a callback": (
        "own.callbacks.append(L.pytorch.callbacks.LearningRateFinder())",
        "the callback LearningRateFinder finds",
    ),
}


@pytest.mark.parametrize("way", FINDERS)
def test_a_rate_that_is_found_anew_is_no_knob_and_breaks_a_rule(tmp_path: Path, way: str) -> None:
    code, said = FINDERS[way]
    start = f"from lightning.pytorch.tuner import Tuner\nown, model = {TRAINER}, Own()\n"
    snapshot = _snapshot(tmp_path, f"{start}{code}\nown.fit(model, loader(50), loader(20))")
    assert snapshot.max_epochs == 2
    assert said in locks_on(snapshot, Rules())["lr"]
    (broken,) = contradictions(snapshot, RULES)
    assert broken.startswith("training_config.lr asks for lr 0.003, ")
    assert hold_settings("LR = 0.1\n", snapshot, RULES).source == "LR = 0.1\n"


def test_a_batch_size_that_is_found_anew_is_no_knob(tmp_path: Path) -> None:
    body = f"""
        from lightning.pytorch.tuner import Tuner
        own, model = {TRAINER}, Own()
        model.batch_size = 10
        assert Tuner(own).scale_batch_size(model, loader(50)) == 10
        own.fit(model, loader(50), loader(20))
        """
    assert set(_snapshot(tmp_path, body).overwritten_by) == {"batch_size"}


def test_a_rate_that_is_only_looked_at_is_a_knob(tmp_path: Path) -> None:
    body = f"""
        from lightning.pytorch.tuner import Tuner
        own, model = {TRAINER}, Own()
        Tuner(own).lr_find(model, loader(50), update_attr=False).plot()
        own.fit(model, loader(50), loader(20))
        """
    assert _snapshot(tmp_path, body).overwritten == ()


ADAM = "return torch.optim.Adam(self.parameters(), lr=self.lr)"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Of a model that trained with Adam at a rate of 0.001."""
    fit = captured(tmp_path, f"{TRAINER}.fit(Net(0.001), loader(50), loader(20))", ADAM)
    fit.model.net[0].bias.data.fill_(7.0)
    fit.trainer.save_checkpoint(tmp_path / "start.ckpt")
    return tmp_path / "start.ckpt"


def test_what_a_checkpoint_restores_is_what_trains(tmp_path: Path, checkpoint: Path) -> None:
    body = f"{TRAINER}.fit(Own(0.02), loader(50), loader(20), ckpt_path='{checkpoint.name}')"
    fit = captured(tmp_path, "class Own(Net):\n    pass\n" + body, ADAM)
    snapshot = fit.snapshot
    assert snapshot.optimizers[0].groups[0]["lr"] == 0.001
    assert torch.equal(fit.model.net[0].bias, torch.full((16,), 7.0))
    assert "restored from the checkpoint that ckpt_path names" in locks_on(snapshot, Rules())["weight_decay"]
    (broken,) = contradictions(snapshot, RULES)
    assert "asks for lr 0.003, the script trains with 0.001, which is restored" in broken
    assert contradictions(snapshot, Rules.model_validate({"training_config": {"lr": 0.001}})) == ()


def test_a_schedule_is_restored_too(tmp_path: Path) -> None:
    def optimizers(length: int) -> str:
        return f"""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={length})]
        """

    fit = captured(tmp_path, f"{TRAINER}.fit(Net(0.001), loader(50), loader(20))", optimizers(10))
    fit.trainer.save_checkpoint(tmp_path / "start.ckpt")
    body = f"{TRAINER}.fit(Net(0.02), loader(50), loader(20), ckpt_path='start.ckpt')"
    (scheduler,) = captured(tmp_path, body, optimizers(99)).snapshot.schedulers
    assert scheduler.arguments["T_max"] == 10


SETTERS = {
    "on_fit_start": ("def on_fit_start(self):\n    self.optimizers().param_groups[0]['lr'] = 0.003", SGD),
    "on_train_start": (
        "def on_train_start(self):\n    for own in self.trainer.optimizers[0].param_groups:\n        own['lr'] = 0.003",
        SGD,
    ),
    "configure_optimizers": (
        "",
        "optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)\n"
        "optimizer.param_groups[0]['lr'] = 0.003\nreturn optimizer",
    ),
    "before a schedule": (
        "",
        "optimizer = torch.optim.SGD(self.parameters(), lr=self.lr)\noptimizer.param_groups[0]['lr'] = 0.003\n"
        "return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]",
    ),
}


@pytest.mark.parametrize("hook", SETTERS)
def test_a_rate_that_is_set_before_the_first_step_is_the_rate(tmp_path: Path, hook: str) -> None:
    inside, optimizers = SETTERS[hook]
    snapshot = _snapshot(tmp_path, f"{TRAINER}.fit(Own(), loader(50), loader(20))", optimizers, inside)
    assert snapshot.optimizers[0].groups[0]["lr"] == 0.003


def test_a_callback_that_sets_the_rate_is_heeded(tmp_path: Path) -> None:
    body = """
        class Slow(L.Callback):
            def on_train_start(self, trainer, module):
                trainer.optimizers[0].param_groups[0]["lr"] = 0.003
        L.Trainer(logger=False, accelerator="cpu", callbacks=[Slow()]).fit(Own(), loader(50))
        """
    assert _snapshot(tmp_path, body).optimizers[0].groups[0]["lr"] == 0.003


def test_hooks_that_set_nothing_are_not_called(tmp_path: Path) -> None:
    inside = "def on_train_start(self):\n    open('called', 'w').close()"
    _snapshot(tmp_path, f"{TRAINER}.fit(Own(), loader(50), loader(20))", SGD, inside)
    assert not (tmp_path / "called").exists()
