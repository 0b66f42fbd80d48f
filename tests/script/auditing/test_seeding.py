"""A baseline without a seed gets one, where its author would have written it."""

import pytest

from progtrain.records import Snapshot
from progtrain.rules import Rules
from progtrain.script.auditing.imports import with_import
from progtrain.script.auditing.seeding import check_seed
from progtrain.script.reading.structure import ParsedScript, rebuild

TABLE = [
    (
        "import lightning as L\nimport torch\n\nmodel = Net()\nL.Trainer().fit(model)\n",
        "import lightning as L\nimport torch\n\nL.seed_everything(42)\n\nmodel = Net()\nL.Trainer().fit(model)\n",
    ),
    (
        '"""A script."""\nimport pytorch_lightning as pl\nmodel = Net()\npl.Trainer().fit(model)\n',
        '"""A script."""\nimport pytorch_lightning as pl\n\npl.seed_everything(42)\n\nmodel = Net()\n'
        "pl.Trainer().fit(model)\n",
    ),
    (
        "import torch\n\nx = torch.randn(3)\nimport lightning.pytorch as pl\n\npl.Trainer().fit(Net(x))\n",
        "import torch\n\nx = torch.randn(3)\nimport lightning.pytorch as pl\n\npl.seed_everything(42)\n\n"
        "pl.Trainer().fit(Net(x))\n",
    ),
    (
        "from lightning.pytorch import LightningModule, Trainer\n\nTrainer().fit(Net())\n",
        "from lightning.pytorch import LightningModule, Trainer\nfrom lightning.pytorch import seed_everything\n\n"
        "seed_everything(42)\n\nTrainer().fit(Net())\n",
    ),
    (
        "import lightning as L\r\n\r\nL.Trainer().fit(Net())\r\n",
        "import lightning as L\r\n\r\nL.seed_everything(42)\r\n\r\nL.Trainer().fit(Net())\r\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), TABLE)
def test_the_seed_is_behind_the_imports(before: str, after: str) -> None:
    script = ParsedScript(before)
    found = check_seed(script, Snapshot.model_construct(seed=None), Rules())
    patched = rebuild(before, found.edits)
    for name in found.imports:
        patched = with_import(patched, script, name)
    assert patched == after
    assert found.issues[0].remedy.endswith("seed_everything(42) added")


def test_the_rules_seed_is_the_one() -> None:
    script = ParsedScript(TABLE[0][0])
    found = check_seed(script, Snapshot.model_construct(seed=None), Rules.model_validate({"seed": 7}))
    assert "L.seed_everything(7)" in rebuild(script.source, found.edits)


def test_a_seed_that_is_there_stays() -> None:
    assert not check_seed(ParsedScript(TABLE[0][0]), Snapshot.model_construct(seed=3), Rules()).issues
