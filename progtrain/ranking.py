"""The rules as versions are ranked by them: with the primary metric that Step 0 chose where the user names none."""

from __future__ import annotations

from progtrain.rules import Rules, read_rules
from progtrain.step_records import LoopRecord
from progtrain.workspace import Workspace


def rules_of(workspace: Workspace) -> Rules:
    """The user's rules; where they name no primary metric and the loss cannot be measured, with the one in its place.

    Raises:
        RulesError: user_defined_rules.json means nothing.
    """
    loop = workspace.read_record(LoopRecord, "loop")
    return ranked_by(read_rules(workspace.root), None if loop is None else loop.primary)


def ranked_by(rules: Rules, primary: str | None) -> Rules:
    """The rules with another primary metric; as they are where it is None."""
    if primary is None:
        return rules
    return rules.model_copy(update={"eval_config": rules.eval_config.model_copy(update={"primary_metric": primary})})
