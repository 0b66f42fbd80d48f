import ast
from textwrap import dedent

import pytest

from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, set_knob, set_or_add, set_places
from progtrain.script.editing.imports import add_import
from progtrain.script.reading.anatomy import read_anatomy

IMPORTS = """\
import argparse
import lightning as L
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader

"""


def replaced(before: str, after: str) -> tuple[str, str]:
    """The stretch of `before` that differs, and what stands there in `after`."""
    start = next(i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    tail = next(i for i, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b)
    return before[start : len(before) - tail], after[start : len(after) - tail]


@pytest.mark.parametrize(
    ("before", "knob", "value", "after"),
    [
        ("LR=0.1 # rate\noptim.SGD(p, lr = LR)", "lr", 0.003, "LR=0.003 # rate\noptim.SGD(p, lr = LR)"),
        ("optim.SGD(p, 1e-1)", "lr", 1e-05, "optim.SGD(p, 1e-5)"),
        ("LR = 0.1 * 4\noptim.SGD(p, LR)", "lr", 0.2, "LR = 0.2\noptim.SGD(p, LR)"),
        ("L.Trainer(precision='32')", "precision", "16-mixed", "L.Trainer(precision='16-mixed')"),
        ('L.Trainer(precision="32")', "precision", "16-mixed", 'L.Trainer(precision="16-mixed")'),
        ("L.Trainer(gradient_clip_val=None)", "gradient_clip", 1.0, "L.Trainer(gradient_clip_val=1.0)"),
        ("optim.Adam(p, betas=(.9,.99))", "betas", [0.9, 0.95], "optim.Adam(p, betas=(0.9, 0.95))"),
        ("a = [0.9, 0.99]\noptim.Adam(p, betas=a)", "betas", [0.9, 0.95], "a = [0.9, 0.95]\noptim.Adam(p, betas=a)"),
        ("DataLoader(train, shuffle=False)", "shuffle", True, "DataLoader(train, shuffle=True)"),
        ("optim.SGD(p, lr=-0.1)", "lr", 0.1, "optim.SGD(p, lr=0.1)"),
        (
            'q = argparse.ArgumentParser()\nq.add_argument("--lr", default="0.1")\noptim.SGD(p, lr=q.parse_args().lr)',
            "lr",
            0.03,
            'q = argparse.ArgumentParser()\nq.add_argument("--lr", default="0.03")\noptim.SGD(p, lr=q.parse_args().lr)',
        ),
        (
            "nn.Dropout(0.1)\nF.dropout(x, p=0.1)",
            "dropout",
            0.2,
            "nn.Dropout(0.2)\nF.dropout(x, p=0.2)",
        ),
    ],
)
def test_set_knob_replaces_the_literal_and_nothing_else(before, knob, value, after):
    assert set_knob(IMPORTS + before, knob, value) == IMPORTS + after


@pytest.mark.parametrize(
    ("source", "knob", "value", "message"),
    [
        ("optim.SGD(p, lr=0.1)", "lr", 0.1, "values that are there already"),
        ("optim.SGD(p, lr=0.1)", "momentum", 0.9, "does not"),
        ("optim.SGD(p, lr=load())", "lr", 0.1, "comes from a call of load"),
        ("X = 0.1\noptim.SGD(p, lr=X, momentum=X)", "lr", 0.2, "also sets momentum"),
        ("nn.Dropout(0.1)\nnn.Dropout(0.5)", "dropout", 0.2, "0.1 in line 7, 0.5 in line 8"),
        ("optim.SGD(p, lr=0.1)", "optimizer", "Adam", "an action of its own"),
    ],
)
def test_set_knob_refuses_what_it_would_break(source, knob, value, message):
    with pytest.raises(EditError, match=message):
        set_knob(IMPORTS + source, knob, value)


def test_places_are_set_each_to_its_own_value():
    source = IMPORTS + "nn.Dropout(0.1)\nnn.Dropout(0.5)\n"
    places = read_anatomy(source).occurrences

    edited = set_places(source, zip(places, [0.2, 0.5], strict=True))

    assert edited == IMPORTS + "nn.Dropout(0.2)\nnn.Dropout(0.5)\n"


@pytest.mark.parametrize(
    ("before", "knob", "value", "after"),
    [
        ("optim.SGD(p, lr=1)", "weight_decay", 1e-4, "optim.SGD(p, lr=1, weight_decay=0.0001)"),
        ("optim.SGD(p, lr=(1))", "momentum", 0.9, "optim.SGD(p, lr=(1), momentum=0.9)"),
        ("optim.SGD(p, lr=1, )", "momentum", 0.9, "optim.SGD(p, lr=1, momentum=0.9, )"),
        ("optim.SGD(p, lr=1)", "lr", 2, "optim.SGD(p, lr=2)"),
        ("L.Trainer()", "gradient_clip", 1.0, "L.Trainer(gradient_clip_val=1.0)"),
        (
            "L.Trainer(\n    max_epochs=1,  # few\n)",
            "accumulate",
            2,
            "L.Trainer(\n    max_epochs=1,  # few\n    accumulate_grad_batches=2,\n)",
        ),
        (
            "L.Trainer(\n    max_epochs=1  # few, or more (later)\n)",
            "accumulate",
            2,
            "L.Trainer(\n    max_epochs=1,  # few, or more (later)\n    accumulate_grad_batches=2\n)",
        ),
        (
            "L.Trainer(\n    logger=False,\n    max_epochs=1)",
            "accumulate",
            2,
            "L.Trainer(\n    logger=False,\n    max_epochs=1, accumulate_grad_batches=2)",
        ),
        ("F.cross_entropy(f(x), y)", "label_smoothing", 0.1, "F.cross_entropy(f(x), y, label_smoothing=0.1)"),
        ("nn.CrossEntropyLoss()", "label_smoothing", 0.1, "nn.CrossEntropyLoss(label_smoothing=0.1)"),
        (
            "val = DataLoader(val_set)\ntrain = DataLoader(train_set)",
            "batch_size",
            8,
            "val = DataLoader(val_set)\ntrain = DataLoader(train_set, batch_size=8)",
        ),
    ],
)
def test_set_or_add_passes_what_is_not_named_in_the_manner_of_the_call(before, knob, value, after):
    edited = set_or_add(IMPORTS + before, knob, value)

    assert edited == IMPORTS + after
    ast.parse(edited)


@pytest.mark.parametrize(
    ("source", "knob"),
    [
        ("optim.SGD(p, **options)", "momentum"),
        ("optim.Adam(p)", "momentum"),
        ("print(1)", "gradient_clip"),
        ("optim.SGD(p)\noptim.SGD(q)", "weight_decay"),
        ("nn.MSELoss()", "label_smoothing"),
    ],
)
def test_set_or_add_refuses_where_no_one_call_takes_it(source, knob):
    with pytest.raises(EditError):
        set_or_add(IMPORTS + source, knob, 0.1)


def test_lines_end_as_they_did():
    source = "import lightning as L\r\nL.Trainer(\r\n    max_epochs=1,\r\n)\r\n"

    assert set_or_add(source, "precision", "bf16") == (
        'import lightning as L\r\nL.Trainer(\r\n    max_epochs=1,\r\n    precision="bf16",\r\n)\r\n'
    )


@pytest.mark.parametrize(
    ("imports", "dotted", "expression"),
    [
        ("import torch", "torch.optim.AdamW", "torch.optim.AdamW"),
        ("import torch\nfrom torch import optim", "torch.optim.AdamW", "optim.AdamW"),
        ("import torch.nn.functional as F\nimport torch", "torch.nn.functional.gelu", "F.gelu"),
        ("from torch.optim import SGD, AdamW as W", "torch.optim.AdamW", "W"),
        ("import lightning as L", "lightning.pytorch.callbacks.Timer", "L.pytorch.callbacks.Timer"),
        ("import lightning.pytorch as pl", "lightning.pytorch.callbacks.Timer", "pl.callbacks.Timer"),
        ("import pytorch_lightning as pl", "lightning.pytorch.callbacks.Timer", "pl.callbacks.Timer"),
        (
            "try:\n    import lightning.pytorch as pl\nexcept ImportError:\n    import pytorch_lightning as pl",
            "lightning.pytorch.callbacks.Timer",
            "pl.callbacks.Timer",
        ),
    ],
)
def test_reference_goes_through_the_imports_that_are_there(imports, dotted, expression):
    assert reference(imports + "\n", dotted) == (imports + "\n", expression)


@pytest.mark.parametrize(
    ("before", "dotted", "after"),
    [
        (
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n\nx = 1\n',
            "torch.optim.AdamW",
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\nfrom torch.optim import AdamW\n\nx = 1\n',
        ),
        (
            "from torch.optim import SGD\nfrom mine import X\n",
            "torch.optim.AdamW",
            "from torch.optim import SGD\nfrom torch.optim import AdamW\nfrom mine import X\n",
        ),
        (
            "from pytorch_lightning import (\n    Trainer,\n)\n",
            "lightning.pytorch.callbacks.Timer",
            "from pytorch_lightning import (\n    Trainer,\n)\nfrom pytorch_lightning.callbacks import Timer\n",
        ),
        ('"""Doc."""\nx = 1\n', "a.b", '"""Doc."""\n\nfrom a import b\nx = 1\n'),
        ("x = 1\n", "a.b", "from a import b\nx = 1\n"),
    ],
)
def test_reference_adds_one_import_in_its_place(before, dotted, after):
    edited, expression = reference(before, dotted)

    assert (edited, expression) == (after, dotted.rpartition(".")[2])
    assert reference(edited, dotted) == (edited, expression)


def test_an_import_does_not_take_a_name_in_use():
    with pytest.raises(EditError, match="AdamW"):
        reference("AdamW = 1\n", "torch.optim.AdamW")


def test_a_module_is_imported_once():
    edited = add_import("import os\n", "math")

    assert edited == add_import(edited, "math") == "import os\nimport math\n"


def test_an_argument_that_is_given_but_not_followed_is_not_given_twice():
    source = dedent(
        """
        import lightning as L
        class Settings:
            def get(self, name, default=None):
                return self.values.get(name, default)
        settings = Settings()
        trainer = L.Trainer(max_epochs=settings.get("epochs"))
        """
    )
    with pytest.raises(EditError, match="Line 7: expected max_epochs as a value that can be followed"):
        set_or_add(source, "epochs", 3)
