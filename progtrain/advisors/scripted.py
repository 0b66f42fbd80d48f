"""The deterministic double: changes come in an order written down beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from progtrain.advisors import RankedProposal
from progtrain.records import Finding, Memory, Proposal
from progtrain.step_records import Attempt


class ScriptedAdvisor:
    """Offers its actions one after the other, one a version; what its script does not name is never offered.

    Args:
        actions: names of actions; the first is for the version after v001.
    """

    def __init__(self, actions: Sequence[str]) -> None:
        self._actions = tuple(actions)

    def rank(
        self,
        proposals: Sequence[Proposal],
        findings: Sequence[Finding],
        history: Sequence[Attempt],
        memory: Memory | None = None,
    ) -> tuple[RankedProposal, ...]:
        """Every proposal once, the next of the script first; see `Advisor.rank`."""
        done = sum(attempt.parent is not None for attempt in history)
        due = self._actions[done:]
        ranked = [self._place(proposal, due) for proposal in proposals]
        return tuple(sorted(ranked, key=lambda entry: (not entry.offered, -entry.score, entry.proposal.action)))

    @staticmethod
    def _place(proposal: Proposal, due: tuple[str, ...]) -> RankedProposal:
        if proposal.action not in due:
            return RankedProposal(proposal, 0.0, "not in the script from here on", offered=False)
        place = due.index(proposal.action)
        return RankedProposal(proposal, 1.0 / (1 + place), f"number {place + 1} of the {len(due)} actions still due")
