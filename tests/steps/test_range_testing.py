"""A range test runs the script for a moment in a process of its own, once, and suggests a rate or says why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from progtrain.actions import Situation, action_named
from progtrain.ending import time_spent
from progtrain.loop import opened
from progtrain.records import Finding, Proposal
from progtrain.rules import Rules
from progtrain.script.auditing.settings import locks_on
from progtrain.script.capturing.rate_curve import STEPS
from progtrain.script.editing.versioning import Header, set_constant, with_header
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.step_records import RANGE_TEST, RangeTestRecord
from progtrain.steps import Context
from progtrain.steps.capturing import captured
from progtrain.steps.range_testing import range_test, shown

Testing = Callable[[str], tuple[Situation, RangeTestRecord | None]]

SCRIPT = """
import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

VERSION = "v001"
HOME = f"Models/Artifacts/{VERSION}"
L.seed_everything(7)


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, OUTPUTS))

    def training_step(self, batch, batch_idx):
        loss = LOSS(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        raise SystemExit("a range test has no business with validation")

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-4)
        return OPTIMIZATION


x = torch.randn(200, 4)
loader = DataLoader(TensorDataset(x, TARGETS), batch_size=20, shuffle=True)
trainer = L.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=CSVLogger(HOME, name="logs"),
    callbacks=[ModelCheckpoint(dirpath=HOME, monitor="valid_loss", save_last=True)],
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Net(), loader, DataLoader(TensorDataset(x, TARGETS)))
raise SystemExit("nothing runs after fit")
"""
CLASSES = {"LOSS": "F.cross_entropy", "OUTPUTS": "3", "TARGETS": "x[:, :3].argmax(1)", "OPTIMIZATION": "optimizer"}
VALUES = {**CLASSES, "LOSS": "F.mse_loss", "OUTPUTS": "1", "TARGETS": "(2 * x[:, :1] - x[:, 1:2])"}
PLATEAU = '{"optimizer": optimizer, "lr_scheduler": {"scheduler": %s, "monitor": "valid_loss"}}'
CYCLE = "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-4, total_steps=20)"


def script(parts: dict[str, str] = CLASSES, **more: str) -> str:
    source = SCRIPT
    for name, text in {**parts, **more}.items():
        source = source.replace(name, text)
    return source


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Opened once: its executor imports torch."""
    root: Path = tmp_path_factory.mktemp("range")
    (root / "user_defined_rules.json").write_text(json.dumps({"loop_config": {"probes": 1}}))
    (root / "02_train_v001.py").write_text(script())
    with opened(root) as made:
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def context(base: Context, said: list[str]) -> Context:
    for version in base.workspace.versions():
        base.workspace.forget(RANGE_TEST, version)
        if version != "v001":
            base.workspace.script(version).unlink()
    return replace(base, say=said.append)


@pytest.fixture
def testing(context: Context) -> Testing:
    """`testing(source)`: v001 is this script, and is tested."""

    def of(source: str) -> tuple[Situation, RangeTestRecord | None]:
        context.workspace.script("v001").write_text(source)
        situation = situation_of(context, "v001")
        return situation, range_test(context, "v001", situation)

    return of


def situation_of(context: Context, version: str) -> Situation:
    source, snapshot = context.workspace.read_script(version), captured(context, version)
    locks = locks_on(snapshot, context.rules)
    finding = Finding(name="slow", numbers={}, severity=0.5, message="slow")
    return Situation(read_anatomy(source), snapshot, (finding,), (), locks)


def files(context: Context) -> set[str]:
    found = (path.relative_to(context.workspace.root) for path in context.workspace.root.rglob("*"))
    return {str(path) for path in found if path.parts[0] != ".progtrain"}


@pytest.mark.parametrize(
    "source",
    [
        script(),
        script(VALUES),
        script(OPTIMIZATION=PLATEAU % "torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)"),
        script(OPTIMIZATION=f"[optimizer], [{{'scheduler': {CYCLE}, 'interval': 'step'}}]"),
    ],
    ids=["classes", "values", "a schedule that watches validation", "a schedule that ends before the test does"],
)
def test_suggests_a_rate_that_trains_and_leaves_nothing_behind(context: Context, testing: Testing, source: str) -> None:
    before = files(context)
    situation, record = testing(source)
    assert record is not None
    assert record.remark == ""
    assert record.suggested is not None
    assert 1e-3 <= record.suggested <= 0.3
    assert STEPS / 2 < len(record.rates) == len(record.losses) <= STEPS
    assert list(record.rates) == sorted(set(record.rates))
    assert files(context) == before
    offer = action_named("raise_learning_rate").propose(replace(situation, suggested_rate=record.suggested))
    assert isinstance(offer, Proposal)
    assert {*offer.parameters["new"]} == {1e-3}  # ten times the present rate, and no further


def test_is_run_once_for_a_script(context: Context, testing: Testing, said: list[str]) -> None:
    situation, first = testing(script())
    written = context.workspace.record_path(RANGE_TEST, "v001").stat()
    assert range_test(context, "v001", situation) == first
    after = context.workspace.record_path(RANGE_TEST, "v001").stat()
    assert (after.st_ino, after.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert len(said) == 1
    _, other = testing(script(VALUES))
    assert other is not None
    assert first is not None
    assert other.losses != first.losses
    assert other.script_sha256 != first.script_sha256


def test_a_script_that_was_tested_under_another_name_is_not_tested_again(context: Context, testing: Testing) -> None:
    _, first = testing(script())
    assert first is not None
    header = Header("v003", "v002", "take_back", "g", "c", "e")
    context.workspace.script("v003").write_text(with_header(set_constant(script(), "VERSION", "v003"), header))
    situation = situation_of(context, "v003")
    again = range_test(context, "v003", situation)
    assert again is not None
    assert (again.losses, again.suggested, again.same_as) == (first.losses, first.suggested, "v001")
    assert again.script_sha256 == context.workspace.script_sha256("v003")
    assert again.started_at == again.finished_at
    assert not context.workspace.log("v003", RANGE_TEST).exists()
    page = shown(again, situation)
    assert page is not None
    assert "v001" in page.remark


def test_a_test_of_a_loop_that_was_killed_before_it_chose_counts_as_time(context: Context, testing: Testing) -> None:
    _, record = testing(script())
    assert record is not None
    took = (record.finished_at - record.started_at).total_seconds()
    assert time_spent(context.workspace).used == pytest.approx(took / 60)


LOCKED = {"constraints": {"lock": ["lr"]}, "loop_config": {"probes": 1}}
FIXED = {"training_config": {"lr": 1e-4}, "loop_config": {"probes": 1}}
NO_PROBES = {"loop_config": {"probes": 0}}


@pytest.mark.parametrize("rules", [LOCKED, FIXED, NO_PROBES], ids=["locked", "fixed", "no probes"])
def test_none_is_run_where_its_result_could_not_be_used(base: Context, rules: dict[str, object]) -> None:
    base.workspace.forget(RANGE_TEST, "v001")
    context = replace(base, rules=Rules.model_validate(rules))
    assert range_test(context, "v001", situation_of(context, "v001")) is None
    assert not base.workspace.record_path(RANGE_TEST, "v001").exists()


TWO = "[optimizer, torch.optim.SGD(self.parameters(), lr=1.0)]"


def test_none_is_run_for_several_optimizers(context: Context, testing: Testing) -> None:
    inits = "super().__init__()"
    by_hand = script(OPTIMIZATION=TWO).replace(inits, f"{inits}\n        self.automatic_optimization = False")
    assert testing(by_hand)[1] is None


LOGS = "        self.log("
RATE = "self.trainer.optimizers[0].param_groups[0]['lr']"
BROKEN = {
    "raises in its first step": ('raise ValueError("no batch like this")', "no batch like this"),
    "is no number": ("loss = loss * float('nan')", "0 of 100 steps: the loss left all bounds"),
    "learns nothing": ("loss = 0 * loss + 3 + torch.rand(())", "fell"),
    "ends the process": ("import os; os._exit(3)", "exit code 3"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_fails_is_a_remark(context: Context, testing: Testing, said: list[str], name: str) -> None:
    line, remark = BROKEN[name]
    situation, record = testing(script().replace(LOGS, f"        if {RATE} != 1e-4:\n            {line}\n{LOGS}"))
    assert record is not None
    assert record.suggested is None
    assert remark in record.remark
    assert remark in said[0]
    assert range_test(context, "v001", situation) == record


def test_a_step_that_raises_at_high_rates_alone_ends_the_test_and_no_more(testing: Testing) -> None:
    _, record = testing(script().replace(LOGS, f"        assert {RATE} < 0.3, 'too high'\n{LOGS}"))
    assert record is not None
    assert record.suggested is not None
    assert max(record.rates) < 0.3
