"""What the catalogue has to offer for a script, as far as the user's rules let it."""

from __future__ import annotations

import difflib

from progtrain.actions import Action, Situation, catalogue
from progtrain.errors import RulesError
from progtrain.records import Proposal, Refusal
from progtrain.rules import RULES_FILE, Rules


def offers(rules: Rules, situation: Situation) -> tuple[Proposal | Refusal, ...]:
    """The answer of every action, in the order of names."""
    return tuple(offer(rules, situation, action) for action in catalogue().values())


def offer(rules: Rules, situation: Situation, action: Action) -> Proposal | Refusal:
    """The answer of one action, which is not asked where `constraints` forbids it."""
    forbidden = rules.constraints.forbids(action.name)
    return action.propose(situation) if forbidden is None else action.refuse(forbidden, by_rule=True)


def check_action_names(rules: Rules) -> None:
    """See that `constraints` forbids and allows actions that there are.

    Raises:
        RulesError: the catalogue has no action of a name.
    """
    constraints = rules.constraints
    for key, names in (("forbid", constraints.forbid), ("allow", constraints.allow or ())):
        for name in names:
            if name not in catalogue():
                near = difflib.get_close_matches(name, catalogue(), n=1)
                hint = f"Did you mean {near[0]!r}? " if near else ""
                raise RulesError(
                    f"{RULES_FILE}: constraints.{key} names {name!r}, and no action is called so. {hint}"
                    "`progtrain actions` lists those there are."
                )
