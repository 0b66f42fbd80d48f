"""action-extract.md: the one change selected for the next version, and what was put off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from progtrain.records import Deferred, Proposal
from progtrain.reporting.rendering import render


@dataclass(frozen=True)
class ProbeRow:
    """What one short training came to.

    Args:
        action: whose change it had; None for the version itself, trained as briefly.
        epochs: None where they are not known.
        value: of the primary metric; None where it failed.
        difference: to the version itself, trained as briefly; positive is better.
        remark: why it failed, or what is not quite as in the whole training.
        chosen: whether this change was taken.
    """

    action: str | None
    epochs: int | None
    value: float | None
    difference: float | None
    remark: str
    chosen: bool

    @property
    def outcome(self) -> str:
        """The last column: whether it was taken, and the remark."""
        return "; ".join(part for part in ("**taken**" if self.chosen else "", self.remark) if part)


@dataclass(frozen=True)
class Probing:
    """All short trainings that a choice rests on.

    Args:
        metric: that they were measured by.
        rows: in the order of trainings.
        by_order: whether no probe was better, so that the advisor's order decided.
    """

    metric: str
    rows: tuple[ProbeRow, ...]
    by_order: bool


@dataclass(frozen=True)
class RangeShown:
    """What a learning-rate range test came to.

    Args:
        steps: that were taken.
        lowest: rate of the first.
        highest: rate of the last.
        suggested: rate to train with throughout; None where none was.
        peak: rate to come down from, under a schedule; None where none was.
        present: the rate that the version trains with; None where it is not known.
        remark: why none was suggested, or where the test was made.
    """

    steps: int
    lowest: float | None
    highest: float | None
    suggested: float | None
    peak: float | None
    present: float | None
    remark: str


def render_action_extract(
    version: str,
    parent: str,
    child: str,
    selected: Proposal | None,
    deferred: Sequence[Deferred],
    probing: Probing | None = None,
    reason: str = "",
    range_test: RangeShown | None = None,
) -> str:
    """The page of a version.

    Args:
        version: whose analysis it follows from.
        parent: the version that the next one is made from.
        child: the next version.
        selected: the one change, or None where no action may be applied.
        deferred: all others, the nearest first.
        probing: None where nothing was probed.
        reason: why this one, in the advisor's words.
        range_test: None where none was run.
    """
    return render(
        "action-extract.md.j2",
        version=version,
        parent=parent,
        child=child,
        selected=selected,
        deferred=deferred,
        probing=probing,
        reason=reason,
        range_test=range_test,
    )
