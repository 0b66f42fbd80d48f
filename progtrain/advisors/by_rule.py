"""The default advisor: expected gain from the playbook's priors, the findings' severity, and what was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Final

from progtrain.advisors import RankedProposal
from progtrain.knobs import FAMILY
from progtrain.records import Attempt, Finding, Proposal, Risk

TAKE_BACK = "regressed"
"""The finding whose answer comes before everything else: no change can be judged on lost ground."""
TAKE_BACK_SCORE = 1.0
UNASKED_SEVERITY = 0.2
"""Of a proposal whose finding was not made."""
COST_OF_FAILURE: Final[dict[Risk, float]] = {"low": 0.1, "medium": 0.2, "high": 0.4}
"""What a failed change costs, as a share of what it would have gained."""

AFTER_REGRESSION = 0.2
AFTER_NOISE = 0.5
AFTER_IMPROVEMENT = 0.7
SAME_FAMILY_NOISE = 0.6


class RuleAdvisor:
    """`score = severity * gain * (p - cost * (1 - p))`, `p` discounted by how the action and its family did before."""

    def rank(
        self, proposals: Sequence[Proposal], findings: Sequence[Finding], history: Sequence[Attempt]
    ) -> tuple[RankedProposal, ...]:
        """Every proposal once, the best first; see `Advisor.rank`."""
        severities = {finding.name: finding.severity for finding in findings}
        ranked = [_rate(proposal, severities, history) for proposal in proposals]
        return tuple(sorted(ranked, key=lambda entry: (not entry.offered, -entry.score, entry.proposal.action)))


def _rate(proposal: Proposal, severities: dict[str, float], history: Sequence[Attempt]) -> RankedProposal:
    severity = severities.get(proposal.answers, UNASKED_SEVERITY)
    if proposal.answers == TAKE_BACK and TAKE_BACK in severities:
        return RankedProposal(proposal, TAKE_BACK_SCORE, "the last change made things worse: it is taken back first")
    tries = [attempt for attempt in history if attempt.action == proposal.action]
    failed = [attempt for attempt in tries if attempt.verdict == "regressed"]
    if any(attempt.parameters == proposal.parameters for attempt in failed):
        return RankedProposal(proposal, 0.0, f"the same change made {failed[-1].version} worse", offered=False)
    discounts = [*_own_record(tries), *_family_record(proposal, history)]
    probability = proposal.probability
    for _, factor in discounts:
        probability *= factor
    expected = probability - COST_OF_FAILURE[proposal.risk] * (1 - probability)
    reason = (
        f"answers {proposal.answers} (severity {severity:.2f}), gain {proposal.gain:.2f} "
        f"with probability {probability:.2f}, {proposal.risk} risk"
    )
    return RankedProposal(
        proposal, severity * proposal.gain * expected, "; ".join([reason, *(w for w, _ in discounts)])
    )


def _own_record(tries: Sequence[Attempt]) -> list[tuple[str, float]]:
    """What earlier tries of the same action, with other parameters, say of its chances: words and factor."""
    if not tries:
        return []
    last = tries[-1]
    if last.verdict == "improved":
        improved = sum(attempt.verdict == "improved" for attempt in tries)
        return [
            (f"it improved {last.version} already (x{AFTER_IMPROVEMENT**improved:.2f})", AFTER_IMPROVEMENT**improved)
        ]
    if last.verdict == "regressed":
        return [(f"it made {last.version} worse (x{AFTER_REGRESSION:.2f})", AFTER_REGRESSION)]
    noise = AFTER_NOISE ** len(tries)
    return [(f"its last try, {last.version}, was within noise (x{noise:.2f})", noise)]


def _family_record(proposal: Proposal, history: Sequence[Attempt]) -> list[tuple[str, float]]:
    """Steps of one family that came to nothing, one after the other, ask for another family."""
    running = takewhile(lambda attempt: attempt.verdict == "within noise", reversed(history))
    family = main_family(proposal.touches)
    spent = sum(main_family(attempt.touches) == family for attempt in running)
    if family is None or not spent:
        return []
    factor = SAME_FAMILY_NOISE**spent
    return [(f"{spent} recent change(s) of the {family} family were within noise (x{factor:.2f})", factor)]


def main_family(touches: Iterable[str]) -> str | None:
    """The family that most of these knobs belong to, the first named where several tie; None for no known knob."""
    families = Counter(FAMILY[knob] for knob in touches if knob in FAMILY)
    return families.most_common(1)[0][0] if families else None
