"""What an engineer reads off the numbers: how sure a difference is, where it comes from, and what the curves say."""

from __future__ import annotations

import math

from progtrain.curves import Curves, by_epoch
from progtrain.records import WITHOUT_EFFECT, Comparison, TrainingNoise
from progtrain.reporting.evidence import Answers
from progtrain.reporting.groups import CLEAR, Group, GroupLine
from progtrain.reporting.rendering import number, signed

MAIN_SHARE = 0.2
"""Of all wrong answers, from which on one confusion is spoken of."""
MAIN_KIND = 0.6
"""Of all edits, from which on one kind of them is what goes wrong."""
LATE = 0.2
"""The last part of a training, whose trend says whether it has ended."""
STILL = 0.01
"""Relative change over that part below which a loss stands still."""


def how_sure(comparison: Comparison, num_samples: int) -> tuple[str, ...]:
    """The difference's noise in sentences; none where there is nothing to compare."""
    if comparison.verdict == WITHOUT_EFFECT:
        return ("the trained weights are the parent's, bit for bit: as far as they go, the change did nothing",)
    over_seeds = _over_seeds(comparison.noise)
    difference, low, high = comparison.difference, comparison.low, comparison.high
    if difference is None or low is None or high is None:
        return over_seeds
    said = [f"95 % interval {signed(low)} to {signed(high)}, from the same {num_samples} samples resampled in pairs"]
    if over_seeds:
        said[0] += " and from other seeds"
    if comparison.probability is not None:
        said.append(f"probability that it is better: {_probability(comparison.probability)}")
    said += over_seeds
    half = (high - low) / 2
    if not over_seeds and comparison.verdict == "within noise" and 0 < abs(difference) < half:
        needed = math.ceil(num_samples * (half / difference) ** 2)
        said.append(f"to tell a difference of this size from noise takes about {_rounded(needed)} samples")
    return tuple(said)


def _over_seeds(noise: TrainingNoise | None) -> tuple[str, ...]:
    if noise is None:
        return ()
    said = f"standard deviation over {noise.repeats + 1} trainings that differ in their seeds alone"
    return (f"{said}: {number(noise.deviation)}",)


def won_and_lost(group: Group | None) -> tuple[str, ...]:
    """The groups that changed beyond their own noise, in a sentence each."""
    if group is None:
        return ()
    said = []
    for what, line in (("Won most", group.won), ("Lost most", group.lost)):
        if line is not None:
            said.append(f"{what}: {_place(group, line)} {_change(line)}")
    if not said and any(line.delta for line in group.lines) and any(line.error is not None for line in group.lines):
        said.append(f"No {group.kind} changed by more than {CLEAR:g} standard errors of its own samples.")
    return tuple(said)


def _place(group: Group, line: GroupLine) -> str:
    return f"{group.kind} {line.label} ({line.count} samples): {group.measure}"


def _change(line: GroupLine) -> str:
    spread = "" if line.error is None else f" ± {number(line.error)}"
    return f"{number(line.before)} → {number(line.value)} ({signed(line.delta)}{spread})"


def read_of_curves(curves: Curves) -> tuple[str, ...]:
    """Best epoch, end, gap and late trend of the losses, with their numbers."""
    train, valid = by_epoch(curves.train_loss), by_epoch(curves.valid_loss)
    if len(valid) < 2 or not all(map(math.isfinite, valid)):
        return ()
    best = min(range(len(valid)), key=valid.__getitem__)
    said = [f"The validation loss is best at epoch {best} of 0 to {len(valid) - 1}: {number(valid[best])}"]
    if best < len(valid) - 1 and valid[best] > 0:
        said[0] += f"; it ends at {number(valid[-1])} ({valid[-1] / valid[best] - 1:+.1%})"
    late = max(2, round(len(valid) * LATE))
    if len(valid) > late and valid[-late - 1] > 0:
        change = valid[-1] / valid[-late - 1] - 1
        kind = "stands still" if abs(change) < STILL else "still falls" if change < 0 else "rises"
        said.append(f"Over the last {late} epochs it {kind} ({change:+.1%})")
    if train and math.isfinite(train[-1]):
        gap = valid[-1] - train[-1]
        said.append(f"The training loss ends at {number(train[-1])}, the gap to validation is {signed(gap)}")
    return tuple(said)


def hypotheses_of(answers: Answers) -> tuple[str, ...]:
    """What the answers alone suggest, each with the numbers that it follows from."""
    found = (_trade(answers.group), _main_confusion(answers), _kind_of_edit(answers), _bias(answers))
    return tuple(said for said in found if said is not None)


def _trade(group: Group | None) -> str | None:
    if group is None or group.won is None or group.lost is None:
        return None
    return (
        f"The change trades one {group.kind} for another: {group.measure} of {group.won.label} went by "
        f"{signed(group.won.delta)}, that of {group.lost.label} by {signed(group.lost.delta)}, both beyond their noise."
    )


def _main_confusion(answers: Answers) -> str | None:
    if answers.edits is not None or not answers.confusions or not answers.wrong:
        return None
    first = answers.confusions[0]
    back = next((n.count for n in answers.confusions if (n.truth, n.answer) == (first.answer, first.truth)), 0)
    share = (first.count + back) / answers.wrong
    if share < MAIN_SHARE or answers.wrong < 5:
        return None
    return (
        f"{first.truth} and {first.answer} make up {share:.0%} of all {answers.wrong} wrong answers: "
        "the model lacks what tells these two apart."
    )


def _kind_of_edit(answers: Answers) -> str | None:
    edits = answers.edits
    if edits is None or not answers.wrong:
        return None
    kinds = {
        "lost characters": (edits.lost, "the answers are cut short, or symbols are merged or skipped"),
        "inserted characters": (edits.inserted, "symbols are repeated, or the answer does not end in time"),
        "confused characters": (edits.confused, "the length is right, but look-alikes are not told apart"),
    }
    kind, (count, meaning) = max(kinds.items(), key=lambda entry: entry[1][0])
    share = count / answers.wrong
    return f"{share:.0%} of all {answers.wrong} edits are {kind}: {meaning}." if share >= MAIN_KIND else None


def _bias(answers: Answers) -> str | None:
    bias, error = answers.bias, answers.bias_error
    if bias is None or error is None or abs(bias) <= CLEAR * error or error == 0:
        return None
    where = "high" if bias > 0 else "low"
    return f"The answers are {number(abs(bias))} ± {number(error)} too {where} on average: a bias, not only scatter."


def _probability(value: float) -> str:
    """As many digits as thousands of resamples allow."""
    return "above 99.9 %" if value > 0.999 else "below 0.1 %" if value < 0.001 else f"{100 * value:.1f} %"


def _rounded(count: int) -> str:
    """Two significant digits: it is an estimate."""
    size = 10 ** max(0, len(str(count)) - 2)
    return f"{math.ceil(count / size) * size:,}"
