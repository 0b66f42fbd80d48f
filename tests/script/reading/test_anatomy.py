import pytest

from progtrain.errors import ScriptError
from progtrain.script.reading.anatomy import read_anatomy

IMPORTS = """\
import argparse, dataclasses, os, types
from dataclasses import dataclass, field
import click
import lightning as L
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader
"""

#: name -> (source; the place to be found is the line that ends in `# HERE`), knob, value
PLACES = {
    "keyword": ("optim.SGD(params, lr=0.1)  # HERE", "lr", 0.1),
    "position": ("torch.optim.SGD(params, 0.1, 0.9)  # HERE", "momentum", 0.9),
    "imported class": ("from torch.optim import SGD as S\nS(params, lr=0.1)  # HERE", "lr", 0.1),
    "import of a submodule": ("import torch.optim\ntorch.optim.SGD(params, lr=0.1)  # HERE", "lr", 0.1),
    "alias": ("Opt = optim.SGD\nOpt(params, lr=0.1)  # HERE", "lr", 0.1),
    "constant": ("LR = 3e-4  # HERE\noptim.Adam(params, lr=LR)", "lr", 3e-4),
    "annotated constant": ("LR: float = 3e-4  # HERE\noptim.Adam(params, lr=LR)", "lr", 3e-4),
    "constant by another": ("BASE = 0.1  # HERE\nLR = BASE\noptim.Adam(params, lr=LR)", "lr", 0.1),
    "arithmetic": ("BASE = 0.1\nLR = BASE * 4 / 2  # HERE\noptim.Adam(params, lr=LR)", "lr", 0.2),
    "tuple": ("optim.Adam(params, betas=(0.9, 0.95))  # HERE", "betas", [0.9, 0.95]),
    "unpacked": ("LR, BATCH = 0.1, 32  # HERE\noptim.Adam(params, lr=LR)", "lr", 0.1),
    "argparse": (
        'p = argparse.ArgumentParser()\np.add_argument("--learning-rate", "-l", type=float, default=0.1)  # HERE\n'
        "args = p.parse_args()\noptim.Adam(params, lr=args.learning_rate)",
        "lr",
        0.1,
    ),
    "argparse dest": (
        'p = argparse.ArgumentParser()\np.add_argument("--rate", dest="lr", type=float, default="0.1")  # HERE\n'
        "args, rest = p.parse_known_args()\noptim.Adam(params, lr=args.lr)",
        "lr",
        0.1,
    ),
    "argparse from a function": (
        'def parse():\n    p = argparse.ArgumentParser()\n    p.add_argument("--lr", default=0.1)  # HERE\n'
        "    return p.parse_args()\ndef main(args):\n    optim.Adam(params, lr=args.lr)\nmain(parse())",
        "lr",
        0.1,
    ),
    "argparse through vars": (
        'p = argparse.ArgumentParser()\np.add_argument("--lr", default=0.1)  # HERE\n'
        "class M(L.LightningModule):\n    def __init__(self, lr=1):\n        self.lr = lr\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.lr)\n"
        "M(**vars(p.parse_args()))",
        "lr",
        0.1,
    ),
    "dataclass field": (
        "@dataclass\nclass C:\n    lr: float = 0.1  # HERE\ncfg = C()\noptim.Adam(params, lr=cfg.lr)",
        "lr",
        0.1,
    ),
    "dataclass argument": (
        "@dataclass\nclass C:\n    lr: float = 0.5\ncfg = C(lr=0.1)  # HERE\noptim.Adam(params, lr=cfg.lr)",
        "lr",
        0.1,
    ),
    "dataclass field()": (
        "@dataclass\nclass C:\n    lr: float = field(default=0.1)  # HERE\noptim.Adam(params, lr=C().lr)",
        "lr",
        0.1,
    ),
    "nested dataclass": (
        "@dataclass\nclass O:\n    lr: float = 0.1  # HERE\n@dataclass\nclass C:\n"
        "    optim: O = field(default_factory=O)\n"
        "def main(cfg):\n    optim.Adam(params, lr=cfg.optim.lr)\nmain(C(optim=O()))",
        "lr",
        0.1,
    ),
    "class as configuration": ("class C:\n    lr = 0.1  # HERE\noptim.Adam(params, lr=C.lr)", "lr", 0.1),
    "dictionary": ('cfg = {"lr": 0.1}  # HERE\noptim.Adam(params, lr=cfg["lr"])', "lr", 0.1),
    "dictionary get": ('cfg = dict(lr=0.1)  # HERE\noptim.Adam(params, lr=cfg.get("lr", 1))', "lr", 0.1),
    "nested dictionary": ('cfg = {"o": {"lr": 0.1}}  # HERE\noptim.Adam(params, lr=cfg["o"]["lr"])', "lr", 0.1),
    "spread dictionary": ('opts = {"lr": 0.1}  # HERE\noptim.Adam(params, **opts)', "lr", 0.1),
    "namespace": ("cfg = types.SimpleNamespace(lr=0.1)  # HERE\noptim.Adam(params, lr=cfg.lr)", "lr", 0.1),
    "hparams default": (
        "class M(L.LightningModule):\n    def __init__(self, lr=0.1):  # HERE\n        self.save_hyperparameters()\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.hparams.lr)\nM()",
        "lr",
        0.1,
    ),
    "hparams argument": (
        "class M(L.LightningModule):\n    def __init__(self, lr=1):\n        self.save_hyperparameters()\n"
        '    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.hparams["lr"])\n'
        "M(lr=0.1)  # HERE",
        "lr",
        0.1,
    ),
    "hparams of a configuration": (
        "class M(L.LightningModule):\n    def __init__(self, cfg):\n        self.save_hyperparameters(cfg)\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.hparams.lr)\n"
        'M({"lr": 0.1})  # HERE',
        "lr",
        0.1,
    ),
    "inherited init": (
        "class B(L.LightningModule):\n    def __init__(self, lr):\n        self.lr = lr\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.lr)\n"
        "class M(B):\n    def __init__(self):\n        super().__init__(lr=0.1)  # HERE\nM()",
        "lr",
        0.1,
    ),
    "click": (
        '@click.command()\n@click.option("--lr", default=0.1)  # HERE\ndef main(lr):\n    optim.Adam(params, lr=lr)',
        "lr",
        0.1,
    ),
    "environment": ('LR = float(os.environ.get("LR", "0.1"))  # HERE\noptim.Adam(params, lr=LR)', "lr", 0.1),
    "LightningCLI": (
        "from lightning.pytorch.cli import LightningCLI\nclass M(L.LightningModule):\n"
        "    def __init__(self, lr: float = 0.1):  # HERE\n        self.lr = lr\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.lr)\nLightningCLI(M)",
        "lr",
        0.1,
    ),
    "LightningCLI trainer": (
        'from lightning.pytorch.cli import LightningCLI\nLightningCLI(M, trainer_defaults={"max_epochs": 5})  # HERE',
        "epochs",
        5,
    ),
    "kwargs handed on": (
        "class M(L.LightningModule):\n    def __init__(self, width, lr):\n        self.save_hyperparameters()\n"
        "    def configure_optimizers(self):\n        return optim.Adam(params, lr=self.hparams.lr)\n"
        "def build(**settings):\n    return M(**settings)\ndef main(**kwargs):\n    build(**kwargs)\n"
        "main(width=3, lr=0.1)  # HERE",
        "lr",
        0.1,
    ),
    "kwargs of a dictionary": (
        'CONFIG = {"lr": 0.1}  # HERE\ndef main(**kwargs):\n    optim.Adam(params, lr=kwargs["lr"])\n'
        'main(**{**CONFIG, "width": 3})',
        "lr",
        0.1,
    ),
    "kwargs that lack it": (
        'def main(**kwargs):\n    optim.Adam(params, lr=kwargs.get("lr", 0.1))  # HERE\nmain(width=3)',
        "lr",
        0.1,
    ),
    "the live arm": ("SMALL = False\nLR = 1.0 if SMALL else 0.1  # HERE\noptim.Adam(params, lr=LR)", "lr", 0.1),
    "the arm of a device": (
        "BS = 64 if not torch.backends.mps.is_available() else 64  # HERE\nDataLoader(x, BS)",
        "batch_size",
        64,
    ),
    "an optimizer by argument": (
        "class M(L.LightningModule):\n    def __init__(self, lr, optimizer=optim.Adam):\n        self.lr = lr\n"
        "        self.optimizer = optimizer\n    def configure_optimizers(self):\n"
        "        return self.optimizer(self.parameters(), lr=self.lr)\nM(lr=0.1)  # HERE",
        "lr",
        0.1,
    ),
    "an optimizer of a table": (
        'OPTIMIZERS = {"adam": optim.Adam, "sgd": optim.SGD}\nNAME = "adam"\n'
        "OPTIMIZERS[NAME](model.parameters(), lr=0.1)  # HERE",
        "lr",
        0.1,
    ),
    "an optimizer by name": ('getattr(torch.optim, "AdamW")(model.parameters(), lr=0.1)  # HERE', "lr", 0.1),
    "lightning.pytorch": ("import lightning.pytorch as pl\npl.Trainer(max_epochs=5)  # HERE", "epochs", 5),
    "pytorch_lightning": ("from pytorch_lightning import Trainer\nTrainer(max_epochs=5)  # HERE", "epochs", 5),
    "trainer subclass": ("class T(L.Trainer):\n    pass\nT(max_epochs=5)  # HERE", "epochs", 5),
    "seed": ("L.seed_everything(7, workers=True)  # HERE", "seed", 7),
    "train loader by method": (
        "class D(L.LightningDataModule):\n    def val_dataloader(self):\n        return DataLoader(a, batch_size=9)\n"
        "    def train_dataloader(self):\n        return DataLoader(b, batch_size=64)  # HERE",
        "batch_size",
        64,
    ),
    "train loader by name": (
        "val_loader = DataLoader(a, 9)\ntrain_loader = DataLoader(b, 64)  # HERE",
        "batch_size",
        64,
    ),
    "train loader by data": (
        "L.Trainer().fit(m, DataLoader(train_set, batch_size=64), DataLoader(val_set, batch_size=9))  # HERE",
        "batch_size",
        64,
    ),
    "train loader given to fit": (
        "a = DataLoader(x, batch_size=64)  # HERE\nb = DataLoader(y, batch_size=9)\nL.Trainer().fit(m, a, b)",
        "batch_size",
        64,
    ),
    "loader of a helper given to fit": (
        "def make(x, size):\n    return DataLoader(x, batch_size=size)\nb = make(y, 9)\n"
        "L.Trainer().fit(m, make(x, 64), b)  # HERE",
        "batch_size",
        64,
    ),
    "loader of a helper": (
        "class D:\n    def make(self, data, shuffle, batch_size=64):  # HERE\n"
        "        return DataLoader(data, batch_size=batch_size, shuffle=shuffle)\n"
        "    def train_dataloader(self):\n        return self.make(self.a, True)\n"
        "    def val_dataloader(self):\n        return self.make(self.b, False, batch_size=9)",
        "batch_size",
        64,
    ),
    "shuffle of a helper": (
        "def make(data, shuffle):\n    return DataLoader(data, batch_size=8, shuffle=shuffle)\n"
        "val_loader = make(a, False)\ntrain_loader = make(b, True)  # HERE",
        "shuffle",
        True,
    ),
    "dropout": ("nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3))  # HERE", "dropout", 0.3),
    "functional dropout": ("F.dropout(x, 0.3, self.training)  # HERE", "dropout", 0.3),
    "width": ("H = 64  # HERE\nnn.Sequential(nn.Linear(40, H), nn.ReLU(), nn.Linear(H, 10))", "width", 64),
    "label smoothing": ("F.cross_entropy(a, b, label_smoothing=0.1)  # HERE", "label_smoothing", 0.1),
    "clipping": ("L.Trainer(gradient_clip_val=0.5)  # HERE", "gradient_clip", 0.5),
    "optimizer": ("optim.SGD(params, lr=0.1)  # HERE", "optimizer", "SGD"),
    "scheduler": ("optim.lr_scheduler.StepLR(o, 3)  # HERE", "scheduler", "StepLR"),
    "activation": ("F.relu(x)  # HERE", "activation", "relu"),
    "normalization": ("nn.BatchNorm1d(8)  # HERE", "normalization", "BatchNorm1d"),
    "loss": ("nn.MSELoss()  # HERE", "loss", "MSELoss"),
}


@pytest.mark.parametrize(("source", "knob", "value"), PLACES.values(), ids=PLACES.keys())
def test_a_knob_is_followed_to_the_place_its_value_comes_from(source, knob, value):
    anatomy = read_anatomy(IMPORTS + source)

    found = anatomy.knobs[knob]

    assert found.value == pytest.approx(value) if isinstance(value, float) else found.value == value
    assert found.code.endswith("# HERE")
    assert found.line == (IMPORTS + source[: source.index("# HERE")]).count("\n") + 1


#: name -> source, knob, words of the reason
HELD = {
    "two values": ("LR = 0.1\nLR = 0.2\noptim.SGD(params, lr=LR)", "lr", "assigned 2 times"),
    "a loop": ("for lr in (0.1, 0.2):\n    optim.SGD(params, lr=lr)", "lr", "changes in line"),
    "two calls": (
        "def make(lr):\n    return optim.SGD(params, lr=lr)\nmake(0.1)\nmake(0.2)",
        "lr",
        "several places",
    ),
    "another file": ("from settings import LR\noptim.SGD(params, lr=LR)", "lr", "imported: settings.LR"),
    "a condition": ("LR = 0.1 if FAST else 0.2\noptim.SGD(params, lr=LR)", "lr", "condition"),
    "set again": ('cfg = {"lr": 1}\ncfg["lr"] = 2\noptim.SGD(params, lr=cfg["lr"])', "lr", "assigned again"),
    "unknown call": ("optim.SGD(params, lr=load())", "lr", "comes from a call of load"),
    "circle": ("A = B\nB = A\noptim.SGD(params, lr=A)", "lr", "circles"),
    "another knob": ("X = 0.1\noptim.SGD(params, lr=X, momentum=X)", "lr", "also sets momentum"),
    "computed from": ("BS = 64\nLR = 0.1 * BS / 256\nDataLoader(a, BS)\noptim.SGD(p, lr=LR)", "batch_size", "sets lr"),
    "input size": ("N = 8\nnn.Sequential(nn.Linear(N, N), nn.Linear(N, 3))", "width", "input or output size"),
    "choice": ("optim.SGD(params)", "optimizer", "class or function"),
}


@pytest.mark.parametrize(("source", "knob", "reason"), HELD.values(), ids=HELD.keys())
def test_what_may_not_be_set_says_why(source, knob, reason):
    assert reason in str(read_anatomy(IMPORTS + source).knobs[knob].why_not)


def test_other_uses_of_the_same_place_are_named():
    source = IMPORTS + "LR = 0.1\noptim.SGD(params, lr=LR)\nprint(LR)\nspec = {'lr': LR}\n"

    lr = read_anatomy(source).knobs["lr"]

    assert lr.shared == ("use in line 11", "use in line 12")
    assert lr.why_not is None


def test_other_uses_of_a_computed_place_are_named():
    source = IMPORTS + "EPOCHS = 2 * 10\nSTEPS = EPOCHS * 5\nL.Trainer(max_epochs=EPOCHS)\n"

    assert read_anatomy(source).knobs["epochs"].shared == ("use in line 10",)


def test_a_peak_rate_written_by_the_rate_follows_it():
    source = IMPORTS + (
        "LR = 0.1\nopt = optim.SGD(params, lr=LR)\noptim.lr_scheduler.OneCycleLR(opt, max_lr=3 * LR)\n"
        'optim.lr_scheduler.OneCycleLR(opt, max_lr=2 * opt.defaults["lr"])\n'
    )

    main, *peaks = [knob for knob in read_anatomy(source).occurrences if knob.name == "lr"]

    assert [peak.value for peak in peaks] == pytest.approx([0.3, 0.2])
    assert [peak.computed_from for peak in peaks] == [(main.start,), (main.start,)]


def test_rates_of_parameter_groups_are_all_found():
    source = IMPORTS + 'optim.SGD([{"params": a, "lr": 0.1}, {"params": b}], lr=0.01)\n'

    rates = [knob.value for knob in read_anatomy(source).occurrences if knob.name == "lr"]

    assert rates == [0.1, 0.01]


def test_validation_code_is_no_training():
    source = IMPORTS + (
        "class M(L.LightningModule):\n    def validation_step(self, b, i):\n"
        "        return F.cross_entropy(b, b, label_smoothing=0.5)\n"
        "    def training_step(self, b, i):\n        return F.mse_loss(b, b)\n"
    )

    knobs = read_anatomy(source).knobs

    assert knobs["loss"].value == "mse_loss"
    assert "label_smoothing" not in knobs


def test_constants_and_refusals():
    anatomy = read_anatomy(
        'from torch.nn import *\nVERSION = "v001"\nSIZES = (1, 2)\nX = f()\nY = 1\nY = 2\n'
        "class M:\n    def __init__(self):\n        self.automatic_optimization = False\n"
    )

    assert anatomy.constants == {"VERSION": "v001", "SIZES": [1, 2]}
    assert "automatic_optimization" in anatomy.refusals[0]
    assert "torch.nn" in anatomy.refusals[1]


def test_places_are_characters_whatever_the_encoding_and_line_ends():
    source = '\ufeff# größe\r\nimport torch\r\nname = "größe"; LR = 0.1  # ß\r\ntorch.optim.SGD(p, lr=LR)\r\n'

    lr = read_anatomy(source).knobs["lr"]

    assert source[lr.start : lr.end] == "0.1"
    assert lr.code == 'name = "größe"; LR = 0.1  # ß'


def test_a_syntax_error_names_its_line():
    with pytest.raises(ScriptError, match="line 2"):
        read_anatomy("x = 1\ny = = 2\n")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = a[b][0].c(**d)(*e)\n",
        "lambda: (yield)\n",
        "class A(A): pass\nA().b.c['d']\n",
        "x = y.a\ny = x.b\n",
        "x = {**y}\ny = {**x}\n",
    ],
)
def test_odd_sources_are_read_without_complaint(source):
    assert read_anatomy(IMPORTS + source + "\noptim.SGD(p, lr=x, **y)\nself.z = self.z\noptim.Adam(p, lr=self.z)\n")
