"""Lines of user_instruction.md: what a machine can hold, and what it must name as not held."""

import pytest

from progtrain.instructions import understand
from progtrain.knobs import FAMILY

ARCHITECTURE = {"layers", "width", "computation", "normalization", "activation", "dropout"}


@pytest.mark.parametrize(
    ("line", "locks"),
    [
        ("do not change the learning rate", {"lr"}),
        ("Don't touch the batch size.", {"batch_size"}),
        ("no augmentation", {"augmentation"}),
        ("never add dropout", {"dropout"}),
        ("Keep the architecture", ARCHITECTURE),
        ("keep the architecture except normalization", ARCHITECTURE - {"normalization"}),
        ("Leave the network as is, apart from dropout and activation", ARCHITECTURE - {"dropout", "activation"}),
        ("The loss function must stay the same", {"loss"}),
        ("please keep weight decay and label smoothing fixed", {"weight_decay", "label_smoothing"}),
        ("without changing the number of epochs", {"epochs", "max_steps"}),
    ],
)
def test_line_becomes_locks(line: str, locks: set[str]) -> None:
    understood = understand(line)
    assert understood.locks == locks
    assert understood.unknown == ()


@pytest.mark.parametrize(
    "line", ["only tune the learning rate", "change only lr", "You may only adjust the learning rate."]
)
def test_only_locks_everything_else(line: str) -> None:
    locks = understand(line).locks
    assert "lr" not in locks
    assert {"optimizer", "batch_size", "width", "scheduler", "seed"} <= locks <= set(FAMILY)


def test_unknown_part_is_named_and_the_rest_holds() -> None:
    understood = understand("Do not change the optimizer or the tokenizer")
    assert "optimizer" in understood.locks
    assert understood.unknown == ("tokenizer",)


@pytest.mark.parametrize(
    "line",
    [
        "be careful",
        "keep everything simple",
        "only change the tokenizer",
        "keep the architecture except the flux capacitor",
        "We trained this for the conference",
    ],
)
def test_line_that_means_nothing_locks_nothing_and_is_named(line: str) -> None:
    understood = understand(line)
    assert understood.locks == frozenset()
    assert understood.unknown == (line,)
