"""docs/actions.md, which is also what `progtrain actions` prints: the catalogue as a page."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from progtrain.actions import Action
from progtrain.step_records import TAKING_BACK

_HEAD = """# The catalogue

One action, one file in `progtrain/actions/`. This page is what `progtrain actions` prints; a test holds the two
together. *Answers* names the findings that ask for the action; *touches* the knobs that may differ in what is
about to be trained, and no others.
"""


def render_actions_page(actions: Iterable[Action]) -> str:
    """A table a family, in the order of names."""
    ordered = sorted(actions, key=lambda action: (action.family, action.name))
    sections = [_section(family, list(members)) for family, members in groupby(ordered, lambda action: action.family)]
    return "\n".join([_HEAD, *sections])


def _section(family: str, members: list[Action]) -> str:
    rows = [f"| `{a.name}` | {_summary(a)} | {_list(a.answers)} | {_touches(a)} | {a.risk} |" for a in members]
    return "\n".join(
        [f"## {family}", "", "| action | what | answers | touches | risk |", "|---|---|---|---|---|", *rows, ""]
    )


def _summary(action: Action) -> str:
    return (type(action).__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _touches(action: Action) -> str:
    return "what the change taken back touched" if action.name == TAKING_BACK else _list(sorted(action.touches))
