"""The loop with its changes in a random order: what the diagnosis is worth, measured by leaving it out.

    python benchmarks/peers/random_order.py WORKSPACE

Everything else is the loop's own: the rules, the guard, one change a version, and a change that made a version worse is
taken back first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from progtrain.advisors import RankedProposal
from progtrain.loop import opened, run_loop
from progtrain.records import Finding, Memory, Proposal
from progtrain.step_records import TAKING_BACK, Attempt


class RandomAdvisor:
    """Ranks by a number drawn for the rules' seed and the version; what regressed here is not offered again."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def rank(
        self,
        proposals: Sequence[Proposal],
        findings: Sequence[Finding],
        history: Sequence[Attempt],
        memory: Memory | None = None,
    ) -> tuple[RankedProposal, ...]:
        random = np.random.default_rng([self._seed, len(history)])
        worse = {attempt.action for attempt in history if attempt.verdict == "regressed"}
        lost = any(finding.name == "regressed" for finding in findings)
        ranked = []
        for proposal in proposals:
            first = lost and proposal.action == TAKING_BACK
            offered = proposal.action not in worse and (lost or proposal.action != TAKING_BACK)
            ranked.append(RankedProposal(proposal, 2.0 if first else random.random(), "drawn", offered))
        return tuple(sorted(ranked, key=lambda entry: (not entry.offered, -entry.score, entry.proposal.action)))


if __name__ == "__main__":
    with opened(Path(sys.argv[1])) as context:
        run_loop(replace(context, advisor=RandomAdvisor(context.rules.seed)))
