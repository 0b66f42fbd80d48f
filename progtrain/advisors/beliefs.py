"""How likely an action is to improve a version: the catalogue's prior, and what came of it before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from progtrain.records import Experience, Memory, Proposal
from progtrain.step_records import Attempt

PRIOR_STRENGTH: Final = 4.0
"""How many tries the prior counts as: the four pseudo-observations of Agresti and Coull (1998)."""
OWN_WEIGHT: Final = 4.0
"""A try in this loop, on the same script and data, weighs as much as the whole prior: one failure halves it."""
REGRESSED: Final = 2
"""A try in this loop that made a version worse counts as so many: it cost a version more, to take it back."""
SAME_TASK_WEIGHT: Final = 1.0
OTHER_TASK_WEIGHT: Final = 0.5
"""A try in an earlier loop on another task: the discount of a power prior (Ibrahim, Chen 2000); a starting value."""


@dataclass(frozen=True)
class Tally:
    """Tries of one action; within noise counts as not improved.

    Args:
        where: in words.
        weight: of one try.
    """

    where: str
    weight: float
    tried: int
    improved: int


@dataclass(frozen=True)
class Belief:
    """A Beta-Bernoulli probability of an improvement.

    Args:
        prior: the catalogue's.
        tallies: what is counted, none of them empty.
    """

    prior: float
    tallies: tuple[Tally, ...]

    @property
    def posterior(self) -> float:
        """The mean of the Beta distribution that the tries leave of the prior."""
        tried = sum(tally.weight * tally.tried for tally in self.tallies)
        improved = sum(tally.weight * tally.improved for tally in self.tallies)
        return (PRIOR_STRENGTH * self.prior + improved) / (PRIOR_STRENGTH + tried)

    def __str__(self) -> str:
        if not self.tallies:
            return f"prior {self.prior:.2f}, no try that counts yet"
        counted = "; ".join(
            f"{tally.where} {tally.improved} of {tally.tried} improved, weight {tally.weight:g} each"
            for tally in self.tallies
        )
        return f"prior {self.prior:.2f}, weight {PRIOR_STRENGTH:g}; {counted}; posterior {self.posterior:.2f}"


def tries(proposal: Proposal, history: Iterable[Attempt]) -> list[Attempt]:
    """The versions of this loop that the same action made by changing the same knobs, oldest first."""
    return [
        attempt
        for attempt in history
        if attempt.action == proposal.action and {*attempt.touches} == {*proposal.touches} and attempt.parent
    ]


def believe(action: str, finding: str, prior: float, own: Sequence[Attempt], memory: Memory | None) -> Belief:
    """What to expect of an action.

    Args:
        action: its name.
        finding: that it answers, or `NOTHING_ASKS`; earlier loops count where it answered the same one.
        prior: the catalogue's probability.
        own: its tries in this loop, whatever they answered.
        memory: of earlier loops; None where there is none.
    """
    verdicts = [attempt.verdict for attempt in own]
    tried = len(verdicts) + (REGRESSED - 1) * verdicts.count("regressed")
    tallies = [Tally("in this loop", OWN_WEIGHT, tried, verdicts.count("improved"))]
    if memory is not None:
        known = [entry for entry in memory.entries if (entry.action, entry.finding) == (action, finding)]
        same = [entry for entry in known if entry.task == memory.task]
        other = [entry for entry in known if entry.task != memory.task]
        tallies.append(_tally(f"in earlier loops on {memory.task} after {finding}", SAME_TASK_WEIGHT, same))
        tallies.append(_tally(f"in earlier loops on other tasks after {finding}", OTHER_TASK_WEIGHT, other))
    return Belief(prior, tuple(tally for tally in tallies if tally.tried))


def _tally(where: str, weight: float, entries: Iterable[Experience]) -> Tally:
    found = [*entries]
    return Tally(where, weight, sum(entry.tried for entry in found), sum(entry.improved for entry in found))
