"""A small script of every task is trained and measured by the 03_eval.py that was written for it."""

import json
import runpy
import shutil
import sys
from dataclasses import dataclass

import mlflow.pyfunc
import numpy as np
import pytest
import torch
from matplotlib.image import imread

from progtrain.predictions import IGNORED, read_predictions
from progtrain.step_records import LoopRecord
from progtrain.tracking import save_model
from progtrain.workspace import Workspace, now

from .conftest import write_eval_script

pytestmark = pytest.mark.filterwarnings("ignore")

SCRIPT = """
from dataclasses import dataclass

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

DATASET_ID = "v1"
VERSION = "v001"

{data}


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
{layers}

    def forward(self, x):
        return {forward}

    def training_step(self, batch, batch_idx):
{step}

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.training_step(batch, batch_idx))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


L.seed_everything(0, verbose=False)
best = ModelCheckpoint(dirpath=f"Models/Artifacts/{{VERSION}}", filename="best", monitor="val_loss")
quiet = {{"enable_progress_bar": False, "enable_model_summary": False, "logger": False}}
trainer = L.Trainer(max_epochs=1, accelerator="cpu", callbacks=[best], **quiet)
trainer.fit(Model(), DataLoader(train, batch_size=8, collate_fn=collate), DataLoader(valid, 8, collate_fn=collate))
"""


@dataclass(frozen=True)
class Case:
    """A task: what its script is made of, and what is expected of its evaluation."""

    task_type: str
    data: str
    layers: str
    forward: str
    step: str
    files: set[str]
    metrics: set[str]
    stats: str = "{}"


DEFAULT_COLLATE = "from torch.utils.data import default_collate as collate"


def data(row, collate=DEFAULT_COLLATE, before=""):
    return (
        f"{before}def make(count, seed):\n    random = torch.Generator().manual_seed(seed)\n"
        f"    return [{row} for _ in range(count)]\n\n\ntrain, valid = make(24, 0), make(20, 1)\n{collate}"
    )


PAIR_STEP = "        x, y = batch\n        return {loss}"
CASES = [
    Case(
        "multi-label",
        data("(torch.randn(6, generator=random), torch.randint(2, (3,), generator=random))"),
        "        self.net = nn.Linear(6, 3)",
        "self.net(x)",
        PAIR_STEP.format(loss="F.binary_cross_entropy_with_logits(self(x), y.float())"),
        {"input.json", "output.json", "gt.json"},
        {"f1_macro", "auroc", "loss"},
    ),
    Case(
        "token-classification",
        data(
            '{"input_ids": torch.randint(9, (n,), generator=random), '
            '"labels": torch.randint(3, (n,), generator=random)}'
            " if (n := int(torch.randint(3, 8, (), generator=random))) else None",
            "def collate(rows):\n    pad = nn.utils.rnn.pad_sequence\n"
            '    return {"input_ids": pad([r["input_ids"] for r in rows], True), '
            '"labels": pad([r["labels"] for r in rows], True, -1)}',
        ),
        "        self.net = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))",
        "self.net(x)",
        '        scores = self(batch["input_ids"])\n'
        '        return F.cross_entropy(scores.flatten(0, 1), batch["labels"].flatten(), ignore_index=-1)',
        {"input.json", "output.json", "gt.json"},
        {"f1_macro", "accuracy", "loss"},
    ),
    Case(
        "image-segmentation",
        data(
            "Scene(torch.rand(1, 8, 8, generator=random), torch.randint(3, (8, 8), generator=random))",
            "def collate(rows):\n"
            "    return Scene(torch.stack([r.image for r in rows]), torch.stack([r.mask for r in rows]))",
            "@dataclass\nclass Scene:\n    image: torch.Tensor\n    mask: torch.Tensor\n\n\n",
        ),
        "        self.net = nn.Conv2d(1, 3, 3, padding=1)",
        "self.net(x)",
        "        return F.cross_entropy(self(batch.image), batch.mask)",
        {"input.json", "output.png", "gt.png"},
        {"iou", "dice", "loss"},
    ),
    Case(
        "time-series-forecasting",
        data("(torch.randn(24, generator=random), torch.randn(4, generator=random))"),
        "        self.net = nn.Linear(24, 4)",
        "self.net(x)",
        PAIR_STEP.format(loss="F.mse_loss(self(x), y)"),
        {"input.csv", "output.csv", "gt.csv", "viz.png"},
        {"mae", "rmse", "smape", "loss"},
    ),
    Case(
        "ocr-recognition",
        data(
            "(torch.rand(1, 8, 12, generator=random), torch.randint(1, 4, (3,), generator=random), 3)",
        ),
        "        self.net = nn.Conv1d(8, 4, 1)",
        "self.net(x.squeeze(1)).permute(2, 0, 1).log_softmax(2)",
        "        x, y, lengths = batch\n        scores = self(x)\n"
        "        return F.ctc_loss(scores, y, torch.full((len(x),), len(scores)), lengths)",
        {"input.png", "output.txt", "gt.txt", "viz.png"},
        {"cer", "wer", "exact_match", "loss"},
        '{"characters": "abc"}',
    ),
    Case(
        "text-generation",
        data("(line[:-1], line[1:]) if len(line := torch.randint(7, (9,), generator=random)) else None"),
        "        self.net = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 7))",
        "self.net(x)",
        PAIR_STEP.format(loss="F.cross_entropy(self(x).flatten(0, 1), y.flatten())"),
        {"input.json", "output.json", "gt.json"},
        {"perplexity", "accuracy", "loss"},
    ),
]


def run(root, script, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", [script, *arguments])
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        runpy.run_path(str(root / script), run_name="__main__")


def measured(root, case):
    """The workspace with its v001 trained and measured."""
    workspace, prepdata = Workspace(root), root / "dataset" / "prepdata" / "v1"
    prepdata.mkdir(parents=True)
    (prepdata / "stats.json").write_text(case.stats)
    rules = {"eval_config": {"primary_metric": "loss", "infer_samples": 2}}
    (root / "user_defined_rules.json").write_text(json.dumps(rules))
    loop = LoopRecord(
        dataset_id="v1", task_type=case.task_type, num_train=24, num_valid=20, patched=False, started_at=now()
    )
    workspace.write_record(loop, "loop")
    source = SCRIPT.format(data=case.data, layers=case.layers, forward=case.forward, step=case.step)
    workspace.script("v001").write_text(source)
    run(root, "02_train_v001.py")
    write_eval_script(workspace)
    run(root, "03_eval.py", "v001")
    return workspace.artifacts("v001")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.task_type)
def test_a_task_is_measured_by_its_usual_metrics(case, tmp_path):
    home = measured(tmp_path, case)
    score = json.loads((home / "eval_score.json").read_text())
    assert score["num_samples"] == 20
    values = {metric["name"]: metric["value"] for metric in score["metrics"]}
    assert set(values) == case.metrics
    assert all(value is not None for value in values.values()), values
    written = {path.name for path in (home / "infer_samples" / "0001").iterdir()}
    assert written - {"meta.json", "request.json"} == case.files
    predictions = read_predictions(home / "predictions.npz")
    assert len(predictions.answers) == len(predictions.targets) == len(predictions.losses) == 20
    best = torch.load(home / "best.ckpt", weights_only=True)["callbacks"]
    logged = next(state["best_model_score"].item() for state in best.values() if "best_model_score" in state)
    # Lightning averages batches that weigh alike, so padded tokens differ a little; the others are the very loss.
    assert values["loss"] == pytest.approx(logged, rel=0.05 if case.task_type == "token-classification" else 1e-4)
    if case.task_type == "token-classification":
        assert (predictions.targets == IGNORED).any()
        assert (predictions.targets != -1).all()
    if case.task_type == "text-generation":
        assert values["perplexity"] == pytest.approx(np.exp(values["loss"]), rel=1e-4)
    assert_served(tmp_path, home / "infer_samples")


def assert_served(root, samples):
    """The model that would be registered, loaded in another place, answers a sample's request as the sample shows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", ["save_model", "v001", str(root / "model")])
        patch.setattr("os.nice", lambda by: by)
        save_model.main()
    (root / "elsewhere").mkdir()
    shutil.move(root / "model", root / "elsewhere" / "model")
    shutil.rmtree(root / "dataset")
    model = mlflow.pyfunc.load_model(str(root / "elsewhere" / "model"))
    assert any((root / "elsewhere" / "model").rglob("*.pt2"))
    for sample in sorted(samples.iterdir()):
        asked = json.loads((sample / "request.json").read_text())["inputs"]
        specs = {spec.name: spec.type for spec in model.metadata.signature.inputs}
        inputs = (
            {name: np.array(value, specs[name]) for name, value in asked.items()}
            if isinstance(asked, dict)
            else np.array(asked, specs[None])
        )
        (record,) = model.predict(inputs)
        assert_shown(record, sample)


def assert_shown(record, sample):
    """A served answer is the one of output.*."""
    if (sample / "output.txt").exists():
        assert record["answer"] == (sample / "output.txt").read_text().removesuffix("\n")
    elif (sample / "output.csv").exists():
        shown = np.loadtxt(sample / "output.csv", skiprows=1)
        np.testing.assert_allclose(record["answer"], shown, rtol=1e-4, atol=1e-5)
    elif (sample / "output.png").exists():
        colours = map(tuple, imread(sample / "output.png").reshape(64, -1).tolist())
        answers = np.ravel(record["answer"]).tolist()
        pairs = set(zip(answers, colours, strict=True))
        assert len(pairs) == len(set(answers)) == len({colour for _, colour in pairs})
    else:
        shown = json.loads((sample / "output.json").read_text())
        for key in {"label", "scores"} & set(shown):
            assert record[key] == (shown[key] if key == "label" else pytest.approx(shown[key], rel=1e-4))
        count = len(shown["answer"]) if isinstance(shown["answer"], list) else None
        assert (record["answer"] if count is None else record["answer"][:count]) == shown["answer"]
