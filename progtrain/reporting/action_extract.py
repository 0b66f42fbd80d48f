"""action-extract.md: the one change selected for the next version, and what was put off."""

from __future__ import annotations

from collections.abc import Sequence

from progtrain.records import Deferred, Proposal
from progtrain.reporting.rendering import render


def render_action_extract(
    version: str, parent: str, child: str, selected: Proposal | None, deferred: Sequence[Deferred]
) -> str:
    """The page of a version.

    Args:
        version: whose analysis it follows from.
        parent: the version that the next one is made from.
        child: the next version.
        selected: the one change, or None where no action may be applied.
        deferred: all others, the nearest first.
    """
    return render(
        "action-extract.md.j2",
        version=version,
        parent=parent,
        child=child,
        selected=selected,
        deferred=deferred,
    )
