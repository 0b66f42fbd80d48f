"""user_instruction.md, line by line: what a machine can hold becomes locks, the rest is named, never dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from progtrain.knobs import FAMILY, group
from progtrain.phrases import (
    ALL,
    CLAUSES,
    COURTESY,
    EXCEPT,
    FILLER,
    FORMS,
    HEDGED,
    NAMED_NUMBER,
    NAMED_VALUE,
    NEGATION,
    NUMBER_NAMED,
    OPTIONAL,
    REASON,
    VALUES,
    Form,
)

EVERYTHING: Final = frozenset(FAMILY) - {"monitor", "callbacks"}
"""What "everything" means: all but bookkeeping, which every version needs for itself."""


@dataclass(frozen=True)
class Instruction:
    """One line as a machine understands it.

    Args:
        line: as the user wrote it.
        locks: canonical knobs that it holds where they are.
        unknown: the parts of it that mean nothing to a machine.
        values: canonical knob -> the value that it asks for, None where there must be no such thing; all locked.
    """

    line: str
    locks: frozenset[str]
    unknown: tuple[str, ...]
    values: Mapping[str, JsonValue] = field(default_factory=dict)


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of user_instruction.md that say something: no headings, comments or bullets; wrapped items joined."""
    lines: list[str] = []
    for raw in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).splitlines():
        line = re.sub(r"^(?:[-*+>]|\d+[.)])\s+", "", raw.strip())
        if not line or line.startswith(("#", "```", "---")):
            continue
        if lines and raw[:1].isspace() and line == raw.strip():
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return tuple(lines)


def understand(line: str) -> Instruction:
    """Read one line of user_instruction.md.

    A part that is not understood never weakens the part that is: its words are in `unknown`, the rest is locked.
    An unknown exception, or an unknown part of what alone may change, locks nothing: it might lock too much.
    """
    text = re.sub(r"\s+", " ", re.sub(r"[*`]", "", line.lower().replace("’", "'").replace("can't", "cannot"))).strip(
        " .!;"
    )
    read = [_clause(clause) for clause in CLAUSES.split(text)]
    if not any(part.understood for part in read):
        return Instruction(line, frozenset(), (line,))
    values = {knob: value for part in read for knob, value in part.values.items()}
    locks = frozenset[str]().union(*(part.locks for part in read))
    return Instruction(line, locks, tuple(words for part in read for words in part.unknown), values)


@dataclass(frozen=True)
class _Clause:
    locks: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    understood: bool = True


def _clause(text: str) -> _Clause:
    text = COURTESY.sub("", REASON.sub("", text)).strip()
    lost = _Clause(unknown=(text,), understood=False)
    if HEDGED.search(text):
        return lost
    split = EXCEPT.match(text)
    said, excepted = (split["what"], split["but"]) if split else (text, "")
    for form in FORMS:
        match = form.pattern.match(said)
        if match is None:
            continue
        if form.effect == "value":
            found = None if excepted else _value_clause(match["what"])
        else:
            found = _lock_clause(form, match["what"], excepted)
        if found is not None:
            return found
    return lost


def _lock_clause(form: Form, what: str, excepted: str) -> _Clause | None:
    named, unknown = _topics(what)
    but, unknown_but = _topics(excepted)
    if form.effect == "free":
        return None if unknown_but or NEGATION.search(what) else _Clause(but)
    if unknown_but or (form.effect == "only" and unknown):
        return None
    locks = (EVERYTHING - named if form.effect == "only" else named) - but
    if not locks:
        return None
    values = dict.fromkeys(locks) if form.effect == "none" and len(locks) == 1 and locks <= OPTIONAL else {}
    return _Clause(locks, unknown, values)


def _value_clause(what: str) -> _Clause | None:
    """All of it, or nothing: half a recipe would be held at the wrong values."""
    values: dict[str, JsonValue] = {}
    what = re.sub(r" (?:instead of|rather than|not) .*$", "", what)
    for part in re.split(r", (?:and |with )?| and | with ", what):
        read = _value(_bare(part))
        if read is None or read[0] in values:
            return None
        values[read[0]] = read[1]
    return _Clause(frozenset(values), (), values)


def _value(text: str) -> tuple[str, JsonValue] | None:
    """A knob and its value: `sgd`, `gelu activation`, `lr 0.01`, `optimizer: adamw`, `64 epochs`."""
    numbered = NAMED_NUMBER.match(text) or NUMBER_NAMED.match(text)
    if numbered is not None:
        knob = _one_knob(numbered["name"])
        return None if knob is None else (knob, _number(numbered["number"]))
    named = NAMED_VALUE.match(text)
    value = VALUES.get((named["value"] if named else text).replace("_", " "))
    if value is not None:
        return value if named is None or value[0] in group(named["name"]) else None
    words, _, kind = text.rpartition(" ")
    value = VALUES.get(words)
    return value if value is not None and value[0] in group(kind) else None


def _one_knob(name: str) -> str | None:
    if name in ("epoch", "epochs", "number of epochs"):
        return "epochs"
    knobs = group(name)
    return next(iter(knobs)) if len(knobs) == 1 else None


def _number(text: str) -> int | float:
    plain = text.replace(",", "")
    return int(plain) if plain.isdigit() else float(plain)


def _topics(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    found: frozenset[str] = frozenset()
    unknown = []
    for part in re.split(r",|;|/|&|\band\b|\bor\b|\bnor\b", text):
        name = _bare(part)
        if not name and not part.strip():
            continue
        knobs = EVERYTHING if name in ALL else group(name)
        found |= knobs
        if not knobs:
            unknown.append(name or part.strip())
    return found, tuple(unknown)


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", FILLER.sub(" ", text)).strip()
