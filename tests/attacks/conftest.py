"""One small workspace whose v001 is honest, trained and measured; every attack gets a copy of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from progtrain.advisors.by_rule import RuleAdvisor
from progtrain.executors.local import LocalExecutor
from progtrain.records import EvalScore
from progtrain.rules import read_rules
from progtrain.steps import Context, initialize
from progtrain.steps.evaluate import evaluate
from progtrain.steps.train import train
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace

BASELINE = '''"""Tell three kinds of rows apart."""

import json
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

DATASET_ID = "v1"
VERSION = "baseline"
SEED = 42
LR = 0.01

ARTIFACT_DIR = Path("Models/Artifacts") / VERSION


def rows(split):
    arrays = np.load(f"dataset/prepdata/{DATASET_ID}/{split}/rows.npz")
    return TensorDataset(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]))


class Net(L.LightningModule):
    def __init__(self, kinds=3):
        super().__init__()
        self.save_hyperparameters()
        self.layer = nn.Linear(4, kinds)

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


def main():
    L.seed_everything(SEED, verbose=False)
    best = ModelCheckpoint(dirpath=ARTIFACT_DIR, filename="best", monitor="val_loss", save_last=True)
    logger = CSVLogger(ARTIFACT_DIR, "logs")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    trainer = L.Trainer(max_epochs=1, accelerator="cpu", logger=logger, callbacks=[best], **quiet)
    train, valid = rows("train"), rows("valid")
    trainer.fit(Net(), DataLoader(train, batch_size=16, shuffle=True), DataLoader(valid, batch_size=16))
    spec = {"dataset_id": DATASET_ID, "version": VERSION, "additional_assets": "not_required"}
    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec))


if __name__ == "__main__":
    main()
'''

VERSION = "v002"
#: Code for `END` runs when the training has ended, for `TOP` whenever the script runs: in evaluations too.
END = '    (ARTIFACT_DIR / "spec.json").write_text(json.dumps(spec))\n'
TOP = 'ARTIFACT_DIR = Path("Models/Artifacts") / VERSION\n'


@dataclass
class Attacked:
    """A workspace with a v002 that does not play fair."""

    root: Path
    executor: LocalExecutor
    said: list[str] = field(default_factory=list)

    def context(self) -> Context:
        workspace, rules = Workspace(self.root), read_rules(self.root)
        tracker = Tracker(workspace, rules, self.executor)
        return Context(workspace, rules, self.executor, tracker, RuleAdvisor(), self.said.append, lambda line: None)

    def script(self, *edits: tuple[str, str]) -> None:
        """Write v002: v001 with edits, each of a text that is there once."""
        source = (self.root / "02_train_v001.py").read_text().replace('VERSION = "v001"', f'VERSION = "{VERSION}"')
        for before, after in edits:
            assert source.count(before) == 1, before
            source = source.replace(before, after)
        (self.root / f"02_train_{VERSION}.py").write_text(source)

    def train(self) -> None:
        train(self.context(), VERSION)

    def evaluate(self) -> EvalScore:
        evaluate(self.context(), VERSION)
        return self.score(VERSION)

    def with_honest_weights(self) -> None:
        """Let v002 have been trained as v001 was, where the attack is on the evaluation alone."""
        shutil.copytree(self.home("v001"), self.home(VERSION))
        for name in ("eval_score.json", "predictions.npz"):
            (self.home(VERSION) / name).unlink()

    def home(self, version: str) -> Path:
        return self.root / "Models" / "Artifacts" / version

    def score(self, version: str) -> EvalScore:
        return EvalScore.model_validate_json((self.home(version) / "eval_score.json").read_bytes())

    def assert_as_honest(self, score: EvalScore) -> None:
        assert (score.num_samples, score.metrics) == (32, self.score("v001").metrics)


@pytest.fixture(scope="package")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    log = tmp_path_factory.mktemp("executor") / "supervisor.log"
    with LocalExecutor("warm", log, {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}) as warm:
        yield warm


@pytest.fixture(scope="package")
def honest(tmp_path_factory: pytest.TempPathFactory, executor: LocalExecutor) -> Path:
    root = tmp_path_factory.mktemp("honest")
    prepdata = root / "dataset" / "prepdata" / "v1"
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 4)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    for split, part in (("train", slice(0, 64)), ("valid", slice(64, 96))):
        (prepdata / split).mkdir(parents=True)
        np.savez(prepdata / split / "rows.npz", x=x[part], y=y[part])
    (prepdata / "stats.json").write_text(json.dumps({"task_type": "classification", "num_train": 64, "num_valid": 32}))
    rules = {
        "seed": 42,
        "dataset_config": {"dataset_id": "v1"},
        "training_config": {"lr": 0.01},
        "loop_config": {"max_train_attempts": 1},
        "eval_config": {"primary_metric": "accuracy", "metrics": ["accuracy", "f1"], "infer_samples": 2},
    }
    (root / "user_defined_rules.json").write_text(json.dumps(rules))
    (root / "02_train_baseline.py").write_text(BASELINE)
    built = Attacked(root, executor)
    initialize(built.context())
    train(built.context(), "v001")
    evaluate(built.context(), "v001")
    return root


@pytest.fixture
def attacked(honest: Path, executor: LocalExecutor, tmp_path: Path) -> Attacked:
    return Attacked(Path(shutil.copytree(honest, tmp_path / "attacked")), executor)
