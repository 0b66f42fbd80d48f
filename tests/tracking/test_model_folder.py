from __future__ import annotations

import os
from pathlib import Path

import lightning as L
import mlflow.pyfunc
import pytest
import torch

from progtrain.errors import TrackingError
from progtrain.evaluation.models import load_exported
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


def trained(folder: Path, source: str) -> Trained:
    """One step of real training, and the checkpoint it left."""
    script = folder / "02_train_v001.py"
    script.write_text(source)
    names: dict[str, object] = {"__name__": "script"}
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
    return Trained(module.eval(), script, folder / "best.ckpt", samples.tensors[0][:2])


def served_answers(model: Path, inputs: torch.Tensor) -> torch.Tensor:
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    return torch.from_numpy(mlflow.pyfunc.load_model(str(model)).predict(inputs.numpy()))


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
    torch.testing.assert_close(served_answers(tmp_path / "model", inputs), expected)
    with torch.no_grad():  # as the final report measures it again
        torch.testing.assert_close(load_exported(tmp_path / "model")(inputs), expected)
    description = mlflow.models.Model.load(str(tmp_path / "model"))
    assert description.signature.inputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 4)
    assert description.saved_input_example_info is not None
    assert "torch==" in (tmp_path / "model" / "requirements.txt").read_text()


def test_a_module_that_cannot_be_saved_faithfully_is_refused(tmp_path: Path) -> None:
    noisy = PLAIN.replace("return self.last(", "return torch.randn(len(x), 3) + self.last(")
    with pytest.raises(TrackingError, match="Expected the saved model to answer 2 samples"):
        write_model(trained(tmp_path, noisy), tmp_path / "model")
    assert not (tmp_path / "model").exists()
