"""Try every action on every script of tests/corpus, and write docs/coverage.md.

    python scripts/coverage_table.py

Exit status 0 where nothing failed. Two processes at a time; some minutes on two cores.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PATH: Final = ROOT / "docs" / "coverage.md"
sys.path.insert(0, str(ROOT))

from progtrain.actions import catalogue  # noqa: E402
from tests.corpus.trials import ITSELF, Trial, run_trials, scripts  # noqa: E402

BY_HAND: Final = "optimizes by hand"
OTHERWISE_WRITTEN: Final = "not written that way"
UNFIT: Final = "does not fit"
CLASSES: Final = (UNFIT, OTHERWISE_WRITTEN, BY_HAND)

PAGE: Final = """\
# Coverage

Every action of the [catalogue](actions.md) on every script of `tests/corpus/scripts`: {scripts} training scripts, each
written in another habit. `python scripts/coverage_table.py` makes this page; `tests/corpus/test_corpus.py` runs the
same trials and holds *failed* at 0.

An action is **applied** where it offers a change and the child keeps every promise: its source compiles, it reaches
`Trainer.fit`, what it is about to train differs from its parent's in something and in nothing but the declared knobs,
the validation set is the same, the first loss is finite, and the script runs to its end with a training of one
optimizer step. Everything else it must **refuse**, with a reason: *{unfit}*, the action has nothing to do for
what is trained, or it would do harm; *{otherwise}*, the place is not one that the edit understands;
*{by_hand}*, the script steps its optimizers itself.

The actions are asked as when nothing is diagnosed. Six need more than a script: `log_target`, `output_bias`,
`standardize_target` and `usual_weight_decay` are asked with what the rules find in its settings, its first loss and
its validation targets; `extend_range` as if the script had come from one with half of the rate, weight decay or
dropout, and had been better; `take_back` on the first child that another action made of it, as if that had been worse,
and what it makes must be the script again, byte for byte.

{scripts} scripts × {actions} actions: **{applied} applied, {refused} refused, {failed} failed**.

## By script

| script | applied | {unfit} | {otherwise} | {by_hand} | failed |
|---|---|---|---|---|---|
{by_script}

## By action

| action | applied | refused | failed | most frequent reason of a refusal |
|---|---|---|---|---|
{by_action}
"""


def refusal_class(reason: str) -> str:
    """Which of CLASSES a refusal belongs to."""
    if re.search("by hand \\(|Manual optimization", reason):
        return BY_HAND
    return OTHERWISE_WRITTEN if re.match("(Expected|Line|line) ", reason) else UNFIT


def page(trials: Iterable[Trial]) -> str:
    """The page of these trials."""
    rows = [trial for trial in trials if trial.action != ITSELF or trial.outcome == "failed"]
    total = Counter(trial.outcome for trial in rows)
    return PAGE.format(
        scripts=len({trial.script for trial in rows}),
        actions=len({trial.action for trial in rows} - {ITSELF}),
        applied=total["applied"],
        refused=total["refused"],
        failed=total["failed"],
        unfit=UNFIT,
        otherwise=OTHERWISE_WRITTEN,
        by_hand=BY_HAND,
        by_script="\n".join(_script_row(name, rows) for name in sorted({trial.script for trial in rows})),
        by_action="\n".join(_action_row(name, rows) for name in sorted({trial.action for trial in rows})),
    )


def _script_row(name: str, trials: Iterable[Trial]) -> str:
    own = [trial for trial in trials if trial.script == name]
    outcomes = Counter(trial.outcome for trial in own)
    classes = Counter(refusal_class(trial.reason) for trial in own if trial.outcome == "refused")
    return _row(f"`{name}`", outcomes["applied"], *(classes[each] for each in CLASSES), outcomes["failed"])


def _action_row(name: str, trials: Iterable[Trial]) -> str:
    own = [trial for trial in trials if trial.action == name]
    outcomes = Counter(trial.outcome for trial in own)
    reasons = Counter(trial.reason for trial in own if trial.outcome == "refused").most_common(1)
    reason = reasons[0][0].replace("|", "\\|") if reasons else ""
    return _row(f"`{name}`", outcomes["applied"], outcomes["refused"], outcomes["failed"], reason)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    """Write the page; 1 where something failed."""
    trials = run_trials(scripts(), list(catalogue()))
    PATH.write_text(page(trials), encoding="utf-8")
    failed = [trial for trial in trials if trial.outcome == "failed"]
    for trial in failed:
        print(f"FAILED {trial.script} × {trial.action}: {trial.reason}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
