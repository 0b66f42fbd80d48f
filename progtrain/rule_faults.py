"""What is wrong with user_defined_rules.json, said so that it can be mended."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

from progtrain.errors import RulesError, shortened
from progtrain.sections import Constraints, DatasetConfig, EvalConfig, LoopConfig

_MOST_TOLD: Final = 10
_LARGEST: Final = 2**63 - 1


def refuse_odd_values(path: Path, raw: dict[str, JsonValue]) -> None:
    """Refuse what JSON can hold and no setting means.

    Raises:
        RulesError: a number is not finite, or of a size that no setting has.
    """
    for place, value in _leaves(raw, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise RulesError(f"{path}: expected a number under {place}, got {value}. Write a finite one.")
        if isinstance(value, int) and abs(value) > _LARGEST:
            digits = len(str(abs(value)))
            raise RulesError(f"{path}: expected a number of usual size under {place}, got one of {digits} digits.")


def _leaves(value: JsonValue, place: str) -> Iterator[tuple[str, JsonValue]]:
    """Every plain value with its place."""
    if not isinstance(value, dict | list):
        yield place.removeprefix("."), value
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield from _leaves(each, f"{place}.{shortened(str(key), 60)}")


def explain(path: Path, error: ValidationError) -> str:
    """A line for each place that a reader of the file stumbled over."""
    lines = []
    for problem in error.errors():
        place = ".".join(shortened(str(part), 60) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {place}: no such key{_did_you_mean(problem['loc'])}")
        else:
            lines.append(f"  {place}: {problem['msg'].removeprefix('Value error, ')}, got {_brief(problem['input'])}")
    return (
        f"{path} says something that progtrain cannot follow:\n"
        + "\n".join(lines[:_MOST_TOLD])
        + (f"\n  and {len(lines) - _MOST_TOLD} more" if len(lines) > _MOST_TOLD else "")
        + "\nSee docs/rules.md for every key."
    )


def _brief(value: object) -> str:
    return shortened(json.dumps(value, default=str), 80)


def _did_you_mean(location: tuple[int | str, ...]) -> str:
    sections: dict[str, type[BaseModel]] = {
        "loop_config": LoopConfig,
        "dataset_config": DatasetConfig,
        "eval_config": EvalConfig,
        "constraints": Constraints,
    }
    section = sections.get(str(location[0]))
    if section is None:
        return ""
    matches = difflib.get_close_matches(str(location[-1]), list(section.model_fields), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else f"; known are {sorted(section.model_fields)}"
