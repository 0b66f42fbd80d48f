from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import lightning as L
import mlflow.pyfunc
import numpy as np
import pytest
import torch

from progtrain.errors import TrackingError
from progtrain.evaluation.asking.models import load_exported
from progtrain.serving import ServingExample
from progtrain.tracking.model_folder import Trained, write_model

PLAIN = """
import lightning as L
import torch

class Net(L.LightningModule):
    def __init__(self, hidden: int = 8):
        super().__init__()
        self.save_hyperparameters()
        self.first, self.last = torch.nn.Linear(4, hidden), torch.nn.Linear(hidden, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))

    def training_step(self, batch, batch_idx):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)
"""
BRANCHING = PLAIN.replace(
    "return self.last(torch.relu(self.first(x)))",
    "h = self.first(x)\n        return self.last(h.relu() if float(h.detach().sum()) < 9e9 else h)",
)

BINARY_LOSS = "binary_cross_entropy_with_logits(self(batch[0]).squeeze(1), (batch[1] > 0).float())"


def trained(folder: Path, source: str) -> Trained:
    """One step of real training, and the checkpoint it left."""
    script = folder / "02_train_v001.py"
    script.write_text(source)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(source, str(script), "exec"), names)
    module = names["Net"](hidden=5)
    samples = torch.utils.data.TensorDataset(torch.randn(8, 4), torch.randint(3, (8,)))
    trainer = L.Trainer(
        max_steps=1,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    trainer.fit(module, torch.utils.data.DataLoader(samples, batch_size=8, shuffle=True))
    trainer.save_checkpoint(folder / "best.ckpt")
    module.eval()
    inputs = samples.tensors[0]
    with torch.no_grad():
        scores = module(inputs)
    answers = [{"answer": int(row.argmax()), "scores": row.tolist()} for row in scores]
    example = ServingExample(
        task="classification",
        layout="tensor",
        names=("inputs",),
        varying=((),),
        predicts=False,
        classes=(),
        symbols=(),
        answers=tuple(answers),
        threads=1,
        device="cpu",
    )
    return Trained(module, script, folder / "best.ckpt", example, {"inputs": inputs.numpy()}, {"hidden": 5})


def served_scores(model: Path, inputs: torch.Tensor) -> torch.Tensor:
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    records = mlflow.pyfunc.load_model(str(model)).predict(inputs.numpy())
    assert [record["answer"] for record in records] == [int(np.argmax(record["scores"])) for record in records]
    return torch.tensor([record["scores"] for record in records])


pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*"),
]


@pytest.mark.parametrize(("source", "form"), [(PLAIN, "pt2"), (BRANCHING, "code")])
def test_a_model_answers_from_its_folder_as_it_did_live_and_no_pickle_is_needed(
    tmp_path: Path, source: str, form: str
) -> None:
    model = trained(tmp_path, source)
    write_model(model, tmp_path / "model")
    graphs = list((tmp_path / "model").rglob("*.pt2"))
    assert bool(graphs) == (form == "pt2")
    inputs = torch.randn(5, 4)
    with torch.no_grad():
        expected = model.module(inputs)
    torch.testing.assert_close(served_scores(tmp_path / "model", inputs), expected)
    with torch.no_grad():  # as the final report measures it again
        torch.testing.assert_close(load_exported(tmp_path / "model")(inputs), expected)
    description = mlflow.models.Model.load(str(tmp_path / "model"))
    assert description.signature.inputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 4)
    assert description.signature.outputs is not None
    assert description.saved_input_example_info is not None
    assert "torch==" in (tmp_path / "model" / "requirements.txt").read_text()


def test_code_is_saved_with_the_modules_beside_it_and_does_not_train_when_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "__init__.py").write_text("")
    (tmp_path / "layers" / "head.py").write_text("from widths import OUT\nimport torch\nhead = torch.nn.Linear\n")
    (tmp_path / "widths.py").write_text("OUT = 3\n")
    source = BRANCHING.replace("import torch\n", "import torch\nfrom layers.head import OUT, head\n", 1)
    source = source.replace("torch.nn.Linear(hidden, 3)", "head(hidden, OUT)")
    source += "\nL.Trainer(logger=False).fit(Net())\nraise RuntimeError('trained')\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        model = trained(tmp_path, source.partition("\nL.Trainer(")[0])
    model.script.write_text(source)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("layers", "widths")]:
        del sys.modules[name]
    write_model(model, tmp_path / "model")
    assert (tmp_path / "model" / "artifacts" / "layers" / "head.py").is_file()
    assert (tmp_path / "model" / "artifacts" / "widths.py").is_file()


def test_a_module_with_its_own_predict_step_answers_by_it(tmp_path: Path) -> None:
    model = trained(
        tmp_path, PLAIN + "\n    def predict_step(self, batch, batch_idx):\n        return self(batch[0]).argmin(1)\n"
    )
    answers = tuple({**answer, "answer": int(np.argmin(answer["scores"]))} for answer in model.example.answers)
    example = model.example.model_copy(update={"predicts": True, "answers": answers})
    write_model(dataclasses.replace(model, example=example), tmp_path / "model")
    records = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(model.inputs["inputs"])
    assert [record["answer"] for record in records] == [answer["answer"] for answer in answers]


def test_one_score_a_sample_is_read_by_a_threshold_also_where_all_examples_are_of_one_class(tmp_path: Path) -> None:
    source = PLAIN.replace("hidden, 3", "hidden, 1").replace("cross_entropy(self(batch[0]), batch[1])", BINARY_LOSS)
    model = trained(tmp_path, source)
    with torch.no_grad():
        model.module.last.bias -= model.module(torch.from_numpy(model.inputs["inputs"])).median()
        scores = model.module(torch.from_numpy(model.inputs["inputs"])).squeeze(1)
    torch.save({**torch.load(tmp_path / "best.ckpt"), "state_dict": model.module.state_dict()}, tmp_path / "best.ckpt")
    below = scores < 0
    answers = tuple({"answer": 0, "scores": float(score)} for score in scores[below])
    shown = dataclasses.replace(
        model,
        example=model.example.model_copy(update={"answers": answers}),
        inputs={"inputs": model.inputs["inputs"][below.numpy()]},
    )
    write_model(shown, tmp_path / "model")
    records = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(model.inputs["inputs"])
    assert [record["answer"] for record in records] == (scores > 0).long().tolist()
    torch.testing.assert_close(torch.tensor([record["scores"] for record in records]), scores)


def test_a_mask_of_one_score_a_pixel_is_served_without_an_axis_of_classes(tmp_path: Path) -> None:
    source = PLAIN.replace("self.first(x)))", "self.first(x))).reshape(len(x), 1, 1, 3)")
    model = trained(tmp_path, source.replace("cross_entropy(self(batch[0]), batch[1])", "relu(self(batch[0])).mean()"))
    with torch.no_grad():
        masks = (model.module(torch.from_numpy(model.inputs["inputs"])) > 0).long().squeeze(1).tolist()
    update = {"task": "segmentation", "answers": tuple({"answer": mask} for mask in masks)}
    write_model(dataclasses.replace(model, example=model.example.model_copy(update=update)), tmp_path / "model")
    records = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(model.inputs["inputs"])
    assert [record["answer"] for record in records] == masks


def test_answers_that_do_not_follow_from_the_outputs_are_refused(tmp_path: Path) -> None:
    model = trained(tmp_path, PLAIN)
    answers = tuple({**answer, "answer": 7} for answer in model.example.answers)
    with pytest.raises(TrackingError, match="Answer in a predict_step"):
        write_model(
            dataclasses.replace(model, example=model.example.model_copy(update={"answers": answers})),
            tmp_path / "model",
        )


def test_a_module_that_cannot_be_saved_faithfully_is_refused(tmp_path: Path) -> None:
    noisy = PLAIN.replace(
        "return self.last(torch.relu(self.first(x)))",
        "return torch.rand(len(x), 1) + self.last(torch.relu(self.first(x)))",
    )
    with pytest.raises(TrackingError, match="Does forward depend on chance"):
        write_model(trained(tmp_path, noisy), tmp_path / "model")
    assert not (tmp_path / "model").exists()
