"""The mean of the last weights is what is validated, kept as the best, and loaded again."""

import lightning as L
import pytest
import torch

from progtrain.actions import action_named
from progtrain.records import LoaderSettings, Proposal, Refusal, SchedulerSettings

DEFINITION = '''\
def mean_of_the_last_steps(mean, weights, count):
    """The mean of the weights since step 6; until then the weights themselves."""
    return mean + (weights - mean) / (count - 6 + 1).clamp(min=1)


'''
CALLBACK = "WeightAveraging(avg_fn=mean_of_the_last_steps)"
SCRIPT = "import lightning as L\n\n# as long as it takes\ntrainer = L.Trainer(max_epochs=2)\n"
TABLE = {
    "no callbacks": (
        SCRIPT,
        SCRIPT.replace("# as", DEFINITION + "# as").replace("=2", f"=2, callbacks=[L.pytorch.callbacks.{CALLBACK}]"),
    ),
    "within a function": (
        "from lightning import Trainer\n\n@cache\ndef main():\n    Trainer(callbacks=[])\n",
        "from lightning import Trainer\nfrom lightning.pytorch.callbacks import WeightAveraging\n\n"
        + DEFINITION
        + f"@cache\ndef main():\n    Trainer(callbacks=[{CALLBACK}])\n",
    ),
    "a list made above": (
        "import pytorch_lightning as pl\n\nkept = []\npl.Trainer(callbacks=kept)\n",
        "import pytorch_lightning as pl\n\n"
        + DEFINITION
        + f"kept = [pl.callbacks.{CALLBACK}]\npl.Trainer(callbacks=kept)\n",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    becomes("swa", *TABLE[name], start=6)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (SCRIPT.replace("max_epochs=2", "callbacks=[L.pytorch.callbacks.WeightAveraging()]"), "an averaging callback"),
        (SCRIPT + "L.Trainer()\n", "found 2"),
        (SCRIPT + "mean_of_the_last_steps = 1\n", "to be free"),
    ],
)
def test_cannot(cannot, source, match):
    cannot("swa", source, match, start=6)


LOADER = LoaderSettings(size=64, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None)


def test_begins_with_the_last_quarter(proposed):
    proposal = proposed("swa", SCRIPT, "late-jitter")
    assert isinstance(proposal, Proposal)
    assert proposal.parameters == {"start": 750}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"callbacks": ("EMAWeightAveraging",)}, "averaged already"),
        ({"schedulers": (SchedulerSettings(type="OneCycleLR", arguments={}),)}, "OneCycleLR lowers the rate"),
        ({"train": LOADER}, "20 steps are too few"),
    ],
)
def test_refuses(proposed, fields, reason):
    refusal = proposed("swa", SCRIPT, "late-jitter", **fields)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


class Walk(L.LightningModule):
    """Its one weight goes up by 1 a step."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch, index):
        return -self.weight.sum()

    def validation_step(self, batch, index):
        self.seen.append(self.weight.item())
        self.log("val_loss", -self.weight.sum())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


@pytest.mark.filterwarnings("ignore")
def test_the_best_checkpoint_holds_the_mean_that_was_validated(tmp_path):
    source = action_named("swa").apply(
        "import lightning as L\n"
        "kept = L.pytorch.callbacks.ModelCheckpoint(folder, filename='best', monitor='val_loss')\n"
        "trainer = L.Trainer(max_epochs=3, logger=False, enable_progress_bar=False, num_sanity_val_steps=0,\n"
        "    enable_model_summary=False, accelerator='cpu', callbacks=[kept])\n",
        {"start": 6},
    )
    scope = {"folder": tmp_path}
    exec(source, scope)
    walk, batches = Walk(), torch.utils.data.DataLoader(torch.zeros(4, 1))
    scope["trainer"].fit(walk, batches, batches)
    # The weight is 4, 8, 12 after the epochs. From step 6, the seventh, on it is a mean:
    # (7 + 8) / 2, then (7 + ... + 12) / 6.
    assert walk.seen[::4] == [4.0, 7.5, 9.5]
    kept = torch.load(tmp_path / "best.ckpt", weights_only=False)
    assert kept["state_dict"]["weight"].item() == 9.5
