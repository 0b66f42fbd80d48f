"""Of any action on any script: the child parses, keeps its comments, and cannot be made again from itself."""

import ast
import io
import keyword
import tokenize
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from progtrain.actions import Situation, catalogue
from progtrain.errors import EditError
from progtrain.records import Call, CheckpointSettings, Finding, Layer, OptimizerSettings, Proposal
from progtrain.script.reading.anatomy import read_anatomy

EXAMPLES = settings(max_examples=12, derandomize=True, deadline=None, database=None)


@dataclass(frozen=True)
class Style:
    """How a script is written: its names apart, everything that may differ.

    Args:
        torch: imports of torch's parts, and how they are then named.
        lightning: the same for Lightning.
        rate, epochs: "literal", "constant" or "option" of the command line.
        called: whether the layers are attributes that forward calls, or listed.
        residual: whether a called layer's answer is added to what it read.
        loss: the function that training and nothing else is measured by.
        returned: how configure_optimizers ends.
        comments: places (as a share of the lines) that carry a comment of their own.
    """

    torch: tuple[str, str, str, str]
    lightning: tuple[str, str]
    rate: str
    epochs: str
    called: bool
    residual: bool
    loss: str
    returned: str
    comments: tuple[float, ...]


TORCH = (
    ("import torch\nfrom torch import nn\nfrom torch.nn import functional as F", "nn", "torch.optim", "F"),
    ("import torch\nimport torch.nn as nn\nimport torch.nn.functional as F", "nn", "torch.optim", "F"),
    ("import torch\nfrom torch import nn, optim", "nn", "optim", "nn.functional"),
    ("import torch", "torch.nn", "torch.optim", "torch.nn.functional"),
)
LIGHTNING = (
    ("import lightning as L", "L"),
    ("import lightning.pytorch as pl", "pl"),
    ("import pytorch_lightning as pl", "pl"),
)
STYLES = st.builds(
    Style,
    torch=st.sampled_from(TORCH),
    lightning=st.sampled_from(LIGHTNING),
    rate=st.sampled_from(["literal", "constant", "option"]),
    epochs=st.sampled_from(["literal", "constant", "option"]),
    called=st.booleans(),
    residual=st.booleans(),
    loss=st.sampled_from(["cross_entropy", "mse_loss"]),
    returned=st.sampled_from(["{made}", "[{made}]", '{{"optimizer": {made}}}']),
    comments=st.lists(st.floats(0, 0.999), max_size=8, unique=True).map(tuple),
)
ROLES = (
    "model",
    "rate",
    "epochs",
    "hidden",
    "first",
    "second",
    "head",
    "inputs",
    "data",
    "loader",
    "fitter",
    "options",
)
IDENTIFIERS = st.from_regex(r"[a-z][a-z_]{1,6}[0-9a-z]", fullmatch=True)
TAKEN = {"torch", "nn", "optim", "self", "pl", "super", "batch", "index", "argparse", "norm", "dropout", "stem"}
NAMES = st.lists(
    IDENTIFIERS.filter(lambda name: not keyword.iskeyword(name) and name not in TAKEN),
    min_size=len(ROLES),
    max_size=len(ROLES),
    unique=True,
).map(lambda names: dict(zip(ROLES, names, strict=True)))
USUAL = dict(
    zip(ROLES, ("Net", "LR", "EPOCHS", "h", "fc1", "fc2", "out", "x", "data", "train", "tr", "args"), strict=True)
)


def written(style: Style, name: dict[str, str]) -> str:
    """A script of that style, with those names."""
    imports, nn, optim, functional = style.torch
    lightning_import, lightning = style.lightning
    values = {"rate": "0.01", "epochs": "40"}
    sources = {"rate": style.rate, "epochs": style.epochs}
    uses = {
        role: {"literal": values[role], "constant": name[role], "option": f"{name['options']}.{name[role]}"}[how]
        for role, how in sources.items()
    }
    settings = [f"{name[role]} = {values[role]}" for role, how in sources.items() if how == "constant"]
    options = [role for role, how in sources.items() if how == "option"]
    if options:
        settings.append("parser = argparse.ArgumentParser()")
        settings += [f'parser.add_argument("--{name[o]}", type=float, default={values[o]})' for o in options]
        settings.append(f"{name['options']} = parser.parse_args()")
    network = _called(nn, functional, name, style.residual) if style.called else _listed(nn, name)
    made = style.returned.format(made=f"{optim}.SGD(self.parameters(), lr={uses['rate']})")
    text = "\n".join(
        [
            *(["import argparse"] if options else []),
            imports,
            lightning_import,
            "from torch.utils.data import DataLoader, TensorDataset",
            "",
            *settings,
            "",
            f"class {name['model']}({lightning}.LightningModule):",
            *network,
            "    def training_step(self, batch, index):",
            f"        return {functional}.{style.loss}(self(batch[0]), batch[1])",
            "    def configure_optimizers(self):",
            f"        return {made}",
            "",
            f"{name['data']} = TensorDataset(torch.randn(320, 40), torch.randint(10, (320,)))",
            f"{name['loader']} = DataLoader({name['data']}, batch_size=32, shuffle=True)",
            f"{name['fitter']} = {lightning}.Trainer(",
            f"    max_epochs={uses['epochs']},",
            f'    callbacks=[{lightning}.callbacks.ModelCheckpoint(monitor="val_loss")],'
            if lightning == "pl"
            else f'    callbacks=[{lightning}.pytorch.callbacks.ModelCheckpoint(monitor="val_loss")],',
            ")",
            f"{name['fitter']}.fit({name['model']}(), {name['loader']})",
            "",
        ]
    )
    return _commented(text, style.comments)


def _listed(nn: str, name: dict[str, str]) -> list[str]:
    hidden = name["hidden"]
    return [
        f"    def __init__(self, {hidden}=32):",
        "        super().__init__()",
        f"        self.{name['head']} = {nn}.Sequential(",
        f"            {nn}.Linear(40, {hidden}),",
        f"            {nn}.ReLU(),",
        f"            {nn}.Linear({hidden}, {hidden}),",
        f"            {nn}.ReLU(),",
        f"            {nn}.Linear({hidden}, 10),",
        "        )",
        f"    def forward(self, {name['inputs']}):",
        f"        return self.{name['head']}({name['inputs']})",
    ]


def _called(nn: str, functional: str, name: dict[str, str], residual: bool) -> list[str]:
    hidden, inputs = name["hidden"], name["inputs"]
    kept = f"{inputs} + " if residual else ""
    return [
        f"    def __init__(self, {hidden}=32):",
        "        super().__init__()",
        f"        self.{name['first']} = {nn}.Linear(40, {hidden})",
        f"        self.{name['second']} = {nn}.Linear({hidden}, {hidden})",
        f"        self.{name['head']} = {nn}.Linear({hidden}, 10)",
        f"    def forward(self, {inputs}):",
        f"        {inputs} = {functional}.relu(self.{name['first']}({inputs}))",
        f"        {inputs} = {kept}{functional}.relu(self.{name['second']}({inputs}))",
        f"        return self.{name['head']}({inputs})",
    ]


def _commented(text: str, places: tuple[float, ...]) -> str:
    lines = text.split("\n")
    for number, place in enumerate(places):
        line = int(place * len(lines))
        lines[line] += f"  # comment {number}"
    return "\n".join(lines)


def comments(source: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.fixture(scope="module")
def offers(snapshot_with):
    """Script -> every proposal that the catalogue makes for it, whatever the findings."""
    kinds = ("Linear", "ReLU", "Linear", "ReLU", "Linear")
    sizes = iter(((40, 32), (32, 32), (32, 10)))
    layers = tuple(
        Layer(path=str(n), type=kind, arguments=dict(zip(("in_features", "out_features"), next(sizes), strict=True)))
        if kind == "Linear"
        else Layer(path=str(n), type=kind, arguments={})
        for n, kind in enumerate(kinds)
    )
    snapshot = snapshot_with(
        layers=tuple(layer.model_copy(update={"parameters": 100 * (layer.type == "Linear")}) for layer in layers),
        max_epochs=40,
        optimizers=(OptimizerSettings(type="SGD", groups=({"lr": 0.01, "momentum": 0, "weight_decay": 0},)),),
        checkpoints=(CheckpointSettings(dirpath=None, filename=None, monitor="val_loss", mode="min", save_last=False),),
        train=snapshot_with().train.model_copy(update={"size": 320, "batch_size": 32}),
    )
    losses = {
        "cross_entropy": Call(function="cross_entropy", arguments={"label_smoothing": 0.0}, shapes=((32, 10), (32,))),
        "mse_loss": Call(function="mse_loss", arguments={}, shapes=((32, 10), (32, 10))),
    }
    batch = [{"shape": [32, 40], "dtype": "float32"}, {"shape": [32], "dtype": "int64"}]
    asked = {finding for action in catalogue().values() for finding in action.answers}
    findings = tuple(Finding(name=name, numbers={}, severity=1.0, message="") for name in sorted(asked))

    def offer(source: str, loss: str) -> dict[str, Proposal]:
        live = snapshot.model_copy(update={"batch": batch, "calls": (*snapshot.calls, losses[loss])})
        situation = Situation(read_anatomy(source), live, findings, (), {})
        answers = {name: action.propose(situation) for name, action in catalogue().items()}
        return {name: answer for name, answer in answers.items() if isinstance(answer, Proposal)}

    return offer


@EXAMPLES
@given(style=STYLES, names=NAMES)
def test_every_child_parses_keeps_its_comments_and_is_made_once(offers, style, names):
    source = written(style, names)
    made = offers(source, style.loss)
    assert len(made) > 15
    for name, proposal in made.items():
        child = catalogue()[name].apply(source, proposal.parameters)
        ast.parse(child)
        assert comments(source) <= comments(child), name
        with pytest.raises(EditError):
            catalogue()[name].apply(child, proposal.parameters)


def test_the_actions_that_want_a_place_of_their_own_are_offered(offers):
    style = Style(TORCH[0], LIGHTNING[0], "literal", "literal", True, True, "mse_loss", "{made}", ())
    assert {"log_target", "standardize_target", "smaller_residual_initialization"} <= offers(
        written(style, USUAL), "mse_loss"
    ).keys()
    style = replace(style, loss="cross_entropy")
    assert {"focal_loss", "crop_augmentation", "mixup"} <= offers(written(style, USUAL), "cross_entropy").keys()


@EXAMPLES
@given(style=STYLES, names=NAMES)
def test_names_do_not_matter(offers, style, names):
    assert offers(written(style, names), style.loss).keys() == offers(written(style, USUAL), style.loss).keys()
