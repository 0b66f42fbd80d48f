"""Lines of user_instruction.md: what a machine can hold, and what it must name as not held."""

import pytest

from progtrain.instructions import EVERYTHING, lines_of, understand
from progtrain.knobs import FAMILY

ARCHITECTURE = {"layers", "width", "computation", "normalization", "activation", "dropout"}
OPTIMIZER = {knob for knob, family in FAMILY.items() if family == "optimizer"}
EPOCHS = {"epochs", "max_steps"}

LOCKED = [
    ("do not change the learning rate", {"lr"}),
    ("Don't touch the batch size.", {"batch_size"}),
    ("don’t modify our optimizer!", OPTIMIZER),
    ("**Do not** change the `batch_size`", {"batch_size"}),
    ("You must not alter the loss", {"loss"}),
    ("We should never tune weight decay", {"weight_decay"}),
    ("Never replace the scheduler", {"scheduler"}),
    ("no changes to the architecture", ARCHITECTURE),
    ("No optimizer changes", OPTIMIZER),
    ("avoid changing the seed", {"seed"}),
    ("Refrain from touching the data", {"shuffle", "sampler", "augmentation", "train_data"}),
    ("without changing the number of epochs", EPOCHS),
    ("Changing the precision is forbidden.", {"precision"}),
    ("Changes to the loss function are not allowed", {"loss"}),
    ("Keep the architecture", ARCHITECTURE),
    ("keep the current optimizer", OPTIMIZER),
    ("Please leave the number of epochs alone", EPOCHS),
    ("freeze the model", ARCHITECTURE),
    ("please keep weight decay and label smoothing fixed", {"weight_decay", "label_smoothing"}),
    ("Keep the learning rate, the batch size and the seed as they are", {"lr", "batch_size", "seed"}),
    ("stick with the optimizer", OPTIMIZER),
    ("use the same batch size", {"batch_size"}),
    ("the optimizer is fixed", OPTIMIZER),
    ("The loss function must stay the same", {"loss"}),
    ("epochs should remain unchanged", EPOCHS),
    ("The architecture must not change", ARCHITECTURE),
    ("the learning rate should not be touched", {"lr"}),
    ("the network can't be modified", ARCHITECTURE),
    ("Do not change the loss because the paper uses it", {"loss"}),
    ("keep the architecture except normalization", ARCHITECTURE - {"normalization"}),
    ("Leave the network as is, apart from dropout and activation", ARCHITECTURE - {"dropout", "activation"}),
    ("Do not change anything but the learning rate", EVERYTHING - {"lr"}),
    ("keep everything except for the optimizer", EVERYTHING - OPTIMIZER),
    ("Change nothing other than dropout", EVERYTHING - {"dropout"}),
    ("never add dropout", {"dropout"}),
    ("Do not add layers", {"layers"}),
    ("No layer may be changed", {"layers", "computation"}),
    ("Neither the loss nor the optimizer may change", {"loss"} | OPTIMIZER),
    ("Nothing may change", EVERYTHING),
    ("keep the loss and the training data", {"loss", "shuffle", "sampler", "augmentation", "train_data"}),
    ("only tune the learning rate", EVERYTHING - {"lr"}),
    ("change only lr", EVERYTHING - {"lr"}),
    ("You may only adjust the learning rate.", EVERYTHING - {"lr"}),
    ("Only the learning rate and the scheduler may change", EVERYTHING - {"lr", "scheduler"}),
    ("You may change anything except the loss", {"loss"}),
    ("Feel free to change everything but the batch size", {"batch_size"}),
    ("Do not change the optimizer. Keep the batch size.", OPTIMIZER | {"batch_size"}),
    ("Keep the loss, but feel free to change the optimizer", {"loss"}),
    ("You may change the optimizer but keep the learning rate", {"lr"}),
]

VALUES = [
    ("use AdamW", {"optimizer": "AdamW"}),
    ("Train with SGD.", {"optimizer": "SGD"}),
    ("only use Adam", {"optimizer": "Adam"}),
    ("use the RMSprop optimizer", {"optimizer": "RMSprop"}),
    ("Use AdamW instead of SGD", {"optimizer": "AdamW"}),
    ("optimizer: adamw", {"optimizer": "AdamW"}),
    ("The optimizer must be SGD", {"optimizer": "SGD"}),
    ("use GELU", {"activation": "gelu"}),
    ("Use SiLU activations", {"activation": "silu"}),
    ("use AdamW and GELU", {"optimizer": "AdamW", "activation": "gelu"}),
    ("train with SGD with a learning rate of 0.05", {"optimizer": "SGD", "lr": 0.05}),
    ("use batch normalization", {"normalization": "batch_norm"}),
    ("Use a batch size of 64", {"batch_size": 64}),
    ("set the learning rate to 1e-3", {"lr": 1e-3}),
    ("learning rate = 0.01", {"lr": 0.01}),
    ("train for 20 epochs", {"epochs": 20}),
    ("no dropout", {"dropout": None}),
    ("keep the learning rate at 0.01", {"lr": 0.01}),
    ("Stick with AdamW", {"optimizer": "AdamW"}),
    ("do not use augmentation", {"augmentation": None}),
    ("without weight decay", {"weight_decay": None}),
]

FREE = [
    "feel free to change the optimizer",
    "You may change the learning rate",
    "you can also tune the schedule",
    "Don't hesitate to replace the optimizer",
    "No need to keep the batch size",
    "You do not have to keep the architecture",
    "the loss may change freely",
    "The optimizer can be replaced",
]

NOT_UNDERSTOOD = [
    "be careful",
    "keep everything simple",
    "only change the tokenizer",
    "keep the architecture except the flux capacitor",
    "We trained this for the conference",
    "keep the learning rate low",
    "keep the learning rate below 0.01",
    "Keep the model small",
    "no more than 20 epochs",
    "do not change the learning rate too much",
    "do not change the optimizer and the learning rate at the same time",
    "do not change the optimizer before v005",
    "keep the optimizer if possible",
    "keep changing the learning rate",
    "do not keep the architecture",
    "Don't leave the optimizer unchanged",
    "do not use AdamW",
    "use AdamW or SGD",
    "use a larger batch size",
    "use AdamW except for the head",
    "keep in mind that the optimizer matters",
    "the loss is important",
    "change the optimizer",
    "You may change anything except the tokenizer",
    "You may change the optimizer, not the loss",
    "keep the batch size at most 64",
    "use momentum",
]


@pytest.mark.parametrize(("line", "locks"), LOCKED)
def test_line_becomes_locks(line: str, locks: set[str]) -> None:
    understood = understand(line)
    assert understood.locks == locks
    assert understood.unknown == ()
    assert understood.values == {}


@pytest.mark.parametrize(("line", "values"), VALUES)
def test_line_asks_for_values_and_locks_them(line: str, values: dict[str, object]) -> None:
    understood = understand(line)
    assert understood.values == values
    assert understood.locks == set(values)
    assert understood.unknown == ()


@pytest.mark.parametrize("line", FREE)
def test_permission_locks_nothing_and_is_understood(line: str) -> None:
    understood = understand(line)
    assert (understood.locks, understood.unknown) == (frozenset(), ())


@pytest.mark.parametrize("line", NOT_UNDERSTOOD)
def test_line_that_means_nothing_locks_nothing_and_is_named(line: str) -> None:
    understood = understand(line)
    assert understood.locks == frozenset()
    assert understood.unknown == (line,)


def test_everything_leaves_out_what_every_version_needs_for_itself() -> None:
    assert set(FAMILY) - EVERYTHING == {"monitor", "callbacks"}


def test_unknown_part_is_named_and_the_rest_holds() -> None:
    understood = understand("Do not change the optimizer or the tokenizer")
    assert understood.locks == OPTIMIZER
    assert understood.unknown == ("tokenizer",)


def test_unknown_sentence_is_named_and_the_other_holds() -> None:
    understood = understand("Mind the budget. Do not change the loss.")
    assert understood.locks == {"loss"}
    assert understood.unknown == ("mind the budget",)


def test_lines_of_a_page() -> None:
    page = """# Limits

<!-- not
this -->
- Keep everything
  except the optimizer
* 20 epochs
2. no dropout
Use GELU
"""
    assert lines_of(page) == ("Keep everything except the optimizer", "20 epochs", "no dropout", "Use GELU")
