"""Ranking proposals: one contract, `Advisor`, and what implements it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from progtrain.records import Finding, Memory, Proposal
from progtrain.step_records import Attempt


@dataclass(frozen=True)
class RankedProposal:
    """A proposal with its standing.

    Args:
        proposal: as it was given.
        score: higher is better; comparable within one ranking only.
        reason: in words, with the numbers that the score comes from.
        offered: False where it is ranked only to be shown, and must not be applied.
    """

    proposal: Proposal
    score: float
    reason: str
    offered: bool = True


class Advisor(Protocol):
    """Decides which of the possible changes comes next; it never makes one up."""

    def rank(
        self,
        proposals: Sequence[Proposal],
        findings: Sequence[Finding],
        history: Sequence[Attempt],
        memory: Memory | None = None,
    ) -> tuple[RankedProposal, ...]:
        """Every proposal once, the best first, those not offered last; the same input gives the same ranking.

        Args:
            proposals: bound to the parent of the next version.
            findings: what was diagnosed of that parent.
            history: every version so far, oldest first.
            memory: what earlier loops learned; None where there are none, or where the user wants none.
        """
        ...
