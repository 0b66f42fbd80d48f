"""The trials that docs/coverage.md tells of, kept so that a test need not try the whole corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.corpus.trials import Trial

PATH: Final = Path(__file__).with_name("trials.json")


def write_record(trials: Iterable[Trial]) -> None:
    """Keep them: for every script its actions by outcome, each reason once.

    Args:
        trials: of the whole corpus.
    """
    kept: dict[str, dict[str, list[str]]] = {}
    for trial in trials:
        said = trial.outcome if trial.outcome == "applied" else f"{trial.outcome}: {trial.reason}"
        kept.setdefault(trial.script, {}).setdefault(said, []).append(trial.action)
    ordered = {
        script: {said: sorted(actions) for said, actions in sorted(by_words.items())}
        for script, by_words in sorted(kept.items())
    }
    PATH.write_text(json.dumps(ordered, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record() -> list[Trial]:
    """The kept trials."""
    found = []
    for script, by_words in json.loads(PATH.read_text(encoding="utf-8")).items():
        for said, actions in by_words.items():
            outcome, _, reason = said.partition(": ")
            found += [Trial(script, action, outcome, reason) for action in actions]
    return found


def general(reason: str) -> str:
    """A reason without its numbers, so that the same is told of other scripts in the same words."""
    return re.sub(r"\b\d[\d.,]*(e-?\d+)?\b", "N", reason)
