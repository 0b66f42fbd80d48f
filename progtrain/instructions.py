"""user_instruction.md, line by line: what a machine can hold becomes locks, the rest is named, never dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from progtrain.knobs import FAMILY, canonical


def _family(*names: str) -> frozenset[str]:
    return frozenset(knob for knob, family in FAMILY.items() if family in names)


_ARCHITECTURE: Final = _family("capacity", "normalization", "activation") | {"dropout"}

#: What people call a group of knobs; single knobs are understood by every spelling in `progtrain.knobs`.
TOPICS: Final[dict[str, frozenset[str]]] = {
    "optimizer": _family("optimizer"),
    "optimiser": _family("optimizer"),
    "optimization": _family("optimizer", "rate", "schedule"),
    "learning rate": frozenset({"lr"}),
    "learning rate schedule": frozenset({"scheduler"}),
    "learning rate scheduler": frozenset({"scheduler"}),
    "architecture": _ARCHITECTURE,
    "model": _ARCHITECTURE,
    "network": _ARCHITECTURE,
    "model architecture": _ARCHITECTURE,
    "network architecture": _ARCHITECTURE,
    "model size": _family("capacity"),
    "capacity": _family("capacity"),
    "layer": frozenset({"layers", "computation"}),
    "normalisation": frozenset({"normalization"}),
    "batch norm": frozenset({"normalization"}),
    "batch normalization": frozenset({"normalization"}),
    "layer norm": frozenset({"normalization"}),
    "regularization": _family("regularization"),
    "regularisation": _family("regularization"),
    "data augmentation": frozenset({"augmentation"}),
    "training data": _family("data"),
    "data": _family("data"),
    "dataset": _family("data"),
    "loss function": frozenset({"loss"}),
    "number of epochs": frozenset({"epochs", "max_steps"}),
    "training length": frozenset({"epochs", "max_steps"}),
    "gradient clipping": frozenset({"gradient_clip"}),
    "gradient accumulation": frozenset({"accumulate"}),
    "mixed precision": frozenset({"precision"}),
    "activation function": frozenset({"activation"}),
    "random seed": frozenset({"seed"}),
    "early stopping": frozenset({"early_stopping"}),
    "weight averaging": frozenset({"averaging"}),
    "weight initialization": frozenset({"initialization"}),
}

_CHANGE = r"(?:change|touch|modify|alter|tune|adjust|vary|use|add|apply|replace|alter|edit|introduce)"
_FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("only", re.compile(rf"^(?:please )?(?:you (?:may|can) )?(?:only {_CHANGE}|{_CHANGE} only) (?P<what>.+)$")),
    (
        "keep",
        re.compile(
            rf"^(?:please )?(?:(?:you )?(?:do not|don't|never|must not|mustn't|cannot|can't|should not) {_CHANGE}"
            r"|without(?: changing)?|no|avoid|not|forbid) (?P<what>.+)$"
        ),
    ),
    (
        "keep",
        re.compile(
            r"^(?:please )?(?:keep|leave|freeze|fix|lock|preserve|hold|retain) (?P<what>.+?)"
            r"(?: (?:fixed|as is|as it is|as they are|unchanged|alone|the same|constant|frozen|untouched))?$"
        ),
    ),
    (
        "keep",
        re.compile(
            r"^(?P<what>.+?) (?:must|should|has to|have to|is to|are to|shall) "
            r"(?:stay|remain|be kept|be left|not change|not be (?:changed|touched|modified))"
            r"(?: (?:fixed|as is|as it is|unchanged|alone|the same|constant))?$"
        ),
    ),
)
_EXCEPT: Final = re.compile(
    r"^(?P<what>.+?),? (?:except|except for|other than|apart from|but not|excluding) (?P<but>.+)$"
)
_FILLER: Final = re.compile(r"\b(?:the|a|an|any|all|our|my|its|this|that|at all|anything|everything|else)\b")


@dataclass(frozen=True)
class Instruction:
    """One line as a machine understands it.

    Args:
        line: as the user wrote it.
        locks: canonical knobs that it holds where they are.
        unknown: the parts of it that mean nothing to a machine; all of the line where `locks` is empty.
    """

    line: str
    locks: frozenset[str]
    unknown: tuple[str, ...]


def understand(line: str) -> Instruction:
    """Read one line of user_instruction.md.

    A part that is not understood never weakens the part that is: its words are in `unknown`, the rest is locked.
    An unknown exception, or an unknown part of what alone may change, locks nothing: it might lock too much.
    """
    text = re.sub(r"\s+", " ", line.lower().replace("’", "'").strip(" .!;"))
    text, excepted = _split_exception(text)
    for form, pattern in _FORMS:
        match = pattern.match(text)
        if match is None:
            continue
        named, unknown = _topics(match["what"])
        but, unknown_but = _topics(excepted) if excepted else (frozenset[str](), ())
        if unknown_but or (form == "only" and unknown):
            return Instruction(line, frozenset(), (line,))
        locks = (frozenset(FAMILY) - named - {"monitor", "callbacks"} if form == "only" else named) - but
        if locks:
            return Instruction(line, locks, unknown)
    return Instruction(line, frozenset(), (line,))


def _split_exception(text: str) -> tuple[str, str]:
    match = _EXCEPT.match(text)
    return (match["what"], match["but"]) if match else (text, "")


def _topics(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    found: frozenset[str] = frozenset()
    unknown = []
    for part in re.split(r",|;|/|\band\b|\bor\b|\bnor\b", text):
        name = re.sub(r"\s+", " ", _FILLER.sub(" ", part)).strip()
        if not name:
            continue
        knobs = _named(name)
        found |= knobs
        if not knobs:
            unknown.append(name)
    return found, tuple(unknown)


def _named(name: str) -> frozenset[str]:
    for spelling in (name, name.removesuffix("s"), name.removesuffix("es")):
        if spelling in TOPICS:
            return TOPICS[spelling]
        knob = canonical(spelling.replace(" ", "_"))
        if knob is not None:
            return frozenset({knob})
    return frozenset()
