"""Residual branches that begin small, so that a block begins close to the identity (Goyal et al., 1706.02677, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.residuals import Branch, residual_branches
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

#: Zero, as there, would leave a branch that ends in a ReLU without any gradient.
_SHARE: Final = 0.1
_LOOP: Final = "for parameter in {last}.parameters():"


class SmallerResidualInitialization(StructuralAction):
    """Begin with a tenth of the last layer's parameters in every residual branch."""

    family = "initialization"
    touches = frozenset({"initialization"})
    answers = ("early-instability", "slow")
    risk = "low"
    probability = 0.3
    gain = 0.05
    goal = "Let signals and gradients pass the blocks unchanged at first, and each block grow as it is needed"
    expected_impact = "Steadier losses in the first epochs"
    verification = "The training loss of the first three epochs is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        drawn = [way for way in situation.snapshot.initialization if not way.startswith("biases")]
        if drawn:
            raise EditError(f"the script draws its weights itself: {', '.join(drawn)}")
        lasts = ", ".join(branch.last for branch in _branches(ParsedScript(situation.anatomy.source)))
        return Binding({}, f"residual branches begin at {_SHARE:g} times what is drawn, by {lasts}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        return changed(source, rebuild(source, [_shrink(script, branch) for branch in _branches(script)]), self.name)


def _branches(script: ParsedScript) -> tuple[Branch, ...]:
    found = residual_branches(script)
    if not found:
        raise EditError(
            "Expected a forward that adds self.layer(x), a torch.nn layer or nn.Sequential, to its own x, found none. "
            "Nothing begins smaller."
        )
    there = next((branch for branch in found if _LOOP.format(last=branch.last) in script.text(branch.init)), None)
    if there is not None:
        raise EditError(f"Line {there.init.lineno}: expected {there.last} as it is drawn, got a loop over it.")
    return found


def _shrink(script: ParsedScript, branch: Branch) -> Edit:
    end = branch.init.body[-1]
    indent = script.indentation(script.start(end))
    loop = _LOOP.format(last=branch.last)
    return script.new_line_after(end, f"{loop}\n{indent}    parameter.data.mul_({_SHARE})")
