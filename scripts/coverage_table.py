"""Try every action on every script of tests/corpus, and write docs/coverage.md and docs/idioms.md.

    python scripts/coverage_table.py [SCRIPT ...]

With names given, only those are tried anew; the others stay as `tests/corpus/trials.json` has them. Exit status 0 where
nothing failed. Two processes at a time; ten minutes on two cores.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PATH: Final = ROOT / "docs" / "coverage.md"
sys.path.insert(0, str(ROOT))

from progtrain.actions import catalogue  # noqa: E402
from tests.corpus import idioms  # noqa: E402
from tests.corpus.loops import RECORD, Loop  # noqa: E402
from tests.corpus.record import general, read_record, write_record  # noqa: E402
from tests.corpus.trials import ITSELF, Trial, run_trials, scripts  # noqa: E402

BY_HAND: Final = "optimizes by hand"
OTHERWISE_WRITTEN: Final = "not written that way"
UNFIT: Final = "does not fit"
CLASSES: Final = (UNFIT, OTHERWISE_WRITTEN, BY_HAND)

PAGE: Final = """\
# Coverage

Every action of the [catalogue](actions.md) on every script of `tests/corpus/scripts`: {scripts} training scripts, each
written in another habit. `python scripts/coverage_table.py` makes this page; `tests/corpus/test_corpus.py` runs the
trials of most of them again. What fails is named there, and is a fault of progtrain, not of the script.

An action is **applied** where it offers a change and the child keeps every promise: its source compiles, it reaches
`Trainer.fit`, what it is about to train differs from its parent's in something and in nothing but the declared knobs,
the validation set is the same, the first loss is finite, and the script runs to its end with a training of one
optimizer step. Everything else it must **refuse**, with a reason: *{unfit}*, a fact about the training: the action has
nothing to do for what is trained, or it would do harm; *{otherwise}*, an idiom: the place is not one that the edit
understands; *{by_hand}*, the script steps its optimizers itself.

The actions are asked as when nothing is diagnosed. Six need more than a script: `log_target`, `output_bias`,
`standardize_target` and `usual_weight_decay` are asked with what the rules find in its settings, its first loss and
its validation targets; `extend_range` as if the script had come from one with half of the rate, weight decay or
dropout, and had been better; `take_back` on the first child that another action made of it, as if that had been worse,
and what it makes must be the script again, byte for byte.

{scripts} scripts × {actions} actions: **{applied} applied, {refused} refused, {failed} failed**. Of a script
{median:g} actions are applied in the median. Refusals: {by_class}.

## Whole loops

`python scripts/corpus_loops.py FOLDER` runs the loop, two versions of it, on every script as it stands.

{loops}

## The most frequent reasons

Numbers are written N.

| refusals | kind | reason |
|---|---|---|
{by_reason}

## By script

| script | applied | share | {unfit} | {otherwise} | {by_hand} | failed |
|---|---|---|---|---|---|---|
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
    # "Expected nn.ReLU, found none. Nothing to replace." is true however the script is written.
    if re.search(r"Nothing [a-z ]+\.$", reason):
        return UNFIT
    return OTHERWISE_WRITTEN if re.match("(Expected|Line|line) |.* (in|line) \\d+ .*cannot be set", reason) else UNFIT


def page(trials: Iterable[Trial], loops: Sequence[Loop]) -> str:
    """The page of these trials and loops."""
    rows = [trial for trial in trials if trial.action != ITSELF or trial.outcome == "failed"]
    total = Counter(trial.outcome for trial in rows)
    names = sorted({trial.script for trial in rows})
    applied = Counter(trial.script for trial in rows if trial.outcome == "applied")
    classes = Counter(refusal_class(trial.reason) for trial in rows if trial.outcome == "refused")
    return PAGE.format(
        scripts=len(names),
        actions=len({trial.action for trial in rows} - {ITSELF}),
        applied=total["applied"],
        refused=total["refused"],
        failed=total["failed"],
        median=statistics.median(applied[name] for name in names),
        by_class=", ".join(f"{classes[each]} *{each}*" for each in CLASSES),
        unfit=UNFIT,
        otherwise=OTHERWISE_WRITTEN,
        by_hand=BY_HAND,
        loops=_loops(loops),
        by_reason="\n".join(_reason_rows(rows)),
        by_script="\n".join(_script_row(name, rows) for name in names),
        by_action="\n".join(_action_row(name, rows) for name in sorted({trial.action for trial in rows})),
    )


def frequent_reasons(trials: Iterable[Trial], count: int) -> list[tuple[str, int]]:
    """The most frequent reasons of refusals, without their numbers, and how many refusals each has."""
    reasons = Counter(general(trial.reason) for trial in trials if trial.outcome == "refused")
    return sorted(reasons.items(), key=lambda found: (-found[1], found[0]))[:count]


def _loops(loops: Sequence[Loop]) -> str:
    counts = Counter(loop.outcome for loop in loops)
    share = counts["report"] / len(loops)
    lines = [
        f"{len(loops)} of {len(scripts())} scripts run: **{counts['report']} end in a report ({share:.0%})**, "
        f"{counts['refused']} are refused before any training, {counts['fault']} are faults.",
        "",
        "| script | outcome | reason |",
        "|---|---|---|",
        *(_row(f"`{loop.script}`", loop.outcome, _short(loop.reason)) for loop in loops if loop.outcome != "report"),
    ]
    return "\n".join(lines)


def _short(text: str) -> str:
    return (text if len(text) <= 240 else text[:240].rsplit(" ", 1)[0] + " …").replace("|", "\\|")


def _reason_rows(trials: Iterable[Trial]) -> list[str]:
    return [_row(count, refusal_class(reason), _short(reason)) for reason, count in frequent_reasons(trials, 20)]


def _script_row(name: str, trials: Iterable[Trial]) -> str:
    own = [trial for trial in trials if trial.script == name]
    outcomes = Counter(trial.outcome for trial in own)
    classes = Counter(refusal_class(trial.reason) for trial in own if trial.outcome == "refused")
    share = f"{outcomes['applied'] / len(own):.0%}"
    return _row(f"`{name}`", outcomes["applied"], share, *(classes[each] for each in CLASSES), outcomes["failed"])


def _action_row(name: str, trials: Iterable[Trial]) -> str:
    own = [trial for trial in trials if trial.action == name]
    outcomes = Counter(trial.outcome for trial in own)
    reasons = frequent_reasons(own, 1)
    reason = _short(reasons[0][0]) if reasons else ""
    return _row(f"`{name}`", outcomes["applied"], outcomes["refused"], outcomes["failed"], reason)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def read_loops() -> list[Loop]:
    """What became of the loops when they were last run."""
    return [Loop(**row) for row in json.loads(RECORD.read_text(encoding="utf-8"))]


def write_pages(trials: list[Trial]) -> None:
    """Both pages."""
    PATH.write_text(page(trials, read_loops()), encoding="utf-8")
    idioms.PATH.write_text(idioms.page(trials), encoding="utf-8")


def main(names: list[str]) -> int:
    """Write record and pages; 1 where something failed."""
    tried = run_trials(names or scripts(), list(catalogue()))
    kept = [trial for trial in read_record() if trial.script not in names] if names else []
    trials = sorted([*tried, *kept], key=lambda trial: trial.script)
    write_record(trials)
    write_pages(trials)
    failed = [trial for trial in trials if trial.outcome == "failed"]
    for trial in failed:
        print(f"FAILED {trial.script} × {trial.action}: {trial.reason}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
