"""The default advisor: expected gain, times the finding's severity, less what a failure costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Final

from progtrain.advisors import RankedProposal
from progtrain.advisors.beliefs import believe, tries
from progtrain.knobs import FAMILY
from progtrain.records import WITHOUT_EFFECT, Finding, Memory, Proposal, Risk
from progtrain.step_records import NOTHING_ASKS, TAKING_BACK, Attempt

TAKE_BACK = "regressed"
"""The finding whose answer comes before everything else: no change can be judged on lost ground."""
TAKE_BACK_SCORE = 1.0
UNASKED_SEVERITY = 0.1
"""Of a proposal whose finding was not made: the diagnosis may have missed it, and is more often right."""
DECIDED: Final = frozenset(
    {
        "plain-sgd",
        "adam-with-decay",
        "tiny-rate",
        "huge-rate",
        "constant-rate",
        "schedule-length",
        "few-steps",
        "bad-initial-loss",
        "no-normalization",
        "unnormalized-values",
        "bottleneck",
        "excessive-decay",
        "excessive-dropout",
        "imbalanced",
        "unshuffled",
        "local-structure",
        "unscaled-inputs",
        "unscaled-target",
        "skewed-target",
        "loss-off-metric",
    }
)
"""Findings that settings or data decide, and no curve has to be read for: not made, they are hardly ever missed."""
DECIDED_SEVERITY = 0.02
"""Of a proposal whose finding is one of those and was not made."""
COST_OF_FAILURE: Final[dict[Risk, float]] = {"low": 0.1, "medium": 0.2, "high": 0.4}
"""What a failed change costs, as a share of what it would have gained."""

GAIN_LEFT = 0.5
"""What an action that improved a version in this loop has left to give, each time: it is likely, and smaller. Not where
the curves still show what it answers: then their severity says what is left."""
SAME_FAMILY_NOISE = 0.6
"""On the probability, for each of the last changes within noise that was of the same family."""
NOISE_RUNNING = 3
"""So many verdicts within noise, one after the other, end the patience with their families (playbook, finding 30)."""
MOVE_ON = 2.0
"""Taken off the score of those families: no two scores are that far apart, so that all other families come first."""


class RuleAdvisor:
    """`score = severity * gain * (p - cost * (1 - p))`; `p` is learned, see `beliefs` and docs/choosing.md."""

    def rank(
        self,
        proposals: Sequence[Proposal],
        findings: Sequence[Finding],
        history: Sequence[Attempt],
        memory: Memory | None = None,
    ) -> tuple[RankedProposal, ...]:
        """Every proposal once, the best first; see `Advisor.rank`."""
        severities = {finding.name: finding.severity for finding in findings}
        ranked = [_rate(proposal, severities, history, memory) for proposal in proposals]
        return tuple(sorted(ranked, key=lambda entry: (not entry.offered, -entry.score, entry.proposal.action)))


def _rate(
    proposal: Proposal, severities: dict[str, float], history: Sequence[Attempt], memory: Memory | None
) -> RankedProposal:
    if proposal.answers == TAKE_BACK and TAKE_BACK in severities:
        return RankedProposal(proposal, TAKE_BACK_SCORE, "the last change made things worse: it is taken back first")
    failed = _failed_here(proposal, history)
    if failed is not None:
        reason = f"it made {failed.version} worse, and no other change has improved a version since"
        return RankedProposal(proposal, 0.0, reason, offered=False)
    own = tries(proposal, history)
    asks = proposal.answers if proposal.answers in severities else NOTHING_ASKS
    belief = believe(proposal.action, asks, proposal.probability, own, memory)
    improved = sum(attempt.verdict == "improved" for attempt in own)
    severity, asked = _asked(proposal, severities)
    still_shown = proposal.answers in severities and proposal.answers not in DECIDED
    left = 1.0 if still_shown else GAIN_LEFT**improved
    gain = proposal.gain * left
    factor, words = _family_record(proposal, history)
    probability = belief.posterior * factor
    expected = probability - COST_OF_FAILURE[proposal.risk] * (1 - probability)
    exhausted = main_family(proposal.touches) in _exhausted_families(history)
    reasons = [
        f"{asked}, gain {gain:.2f} with probability {probability:.2f}, {proposal.risk} risk",
        str(belief),
        *([f"it improved {improved} version(s) already (gain x{left:.2f})"] if improved else []),
        *words,
        *(["other families come first"] if exhausted else []),
    ]
    return RankedProposal(proposal, severity * gain * expected - (MOVE_ON if exhausted else 0.0), "; ".join(reasons))


def _asked(proposal: Proposal, severities: dict[str, float]) -> tuple[float, str]:
    """How severe what the proposal answers is, found or not, and in words."""
    found = severities.get(proposal.answers)
    if found is not None:
        return found, f"answers {proposal.answers} (severity {found:.2f})"
    taken = DECIDED_SEVERITY if proposal.answers in DECIDED else UNASKED_SEVERITY
    return taken, f"answers {proposal.answers} (not found, taken at {taken:.2f})"


def _failed_here(proposal: Proposal, history: Sequence[Attempt]) -> Attempt | None:
    """The try that made a version worse, where its context is still the same: nothing has improved since.

    Ground won back by taking a change back is no improvement.
    """
    own = tries(proposal, history)
    for attempt in reversed(history):
        if attempt in own and attempt.verdict == "regressed":
            return attempt
        if attempt.verdict == "improved" and attempt.action != TAKING_BACK:
            return None
    return None


def _family_record(proposal: Proposal, history: Sequence[Attempt]) -> tuple[float, list[str]]:
    """Steps of one family that came to nothing, one after the other, ask for another family: factor and words."""
    family = main_family(proposal.touches)
    spent = sum(main_family(attempt.touches) == family for attempt in _running_noise(history))
    if family is None or not spent:
        return 1.0, []
    factor = SAME_FAMILY_NOISE**spent
    words = f"{spent} recent change(s) of the {family} family were within noise (probability x{factor:.2f})"
    return factor, [words]


def _running_noise(history: Sequence[Attempt]) -> list[Attempt]:
    told = [attempt for attempt in history if attempt.verdict != WITHOUT_EFFECT]
    return list(takewhile(lambda attempt: attempt.verdict == "within noise", reversed(told)))


def _exhausted_families(history: Sequence[Attempt]) -> frozenset[str]:
    running = _running_noise(history)[:NOISE_RUNNING]
    if len(running) < NOISE_RUNNING:
        return frozenset()
    return frozenset(family for attempt in running if (family := main_family(attempt.touches)) is not None)


def main_family(touches: Iterable[str]) -> str | None:
    """The family that most of these knobs belong to, the first named where several tie; None for no known knob."""
    families = Counter(FAMILY[knob] for knob in touches if knob in FAMILY)
    return families.most_common(1)[0][0] if families else None
