"""Targets of another type than the loss takes: class numbers are of 64 bits, values are floats."""

from __future__ import annotations

import ast
import re
from typing import Final

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_FUNCTIONAL: Final = "torch.nn.functional."
_CLASSES: Final = ("cross_entropy", "nll_loss", "CrossEntropyLoss", "NLLLoss")
_VALUES: Final = ("binary_cross_entropy_with_logits", "binary_cross_entropy", "BCEWithLogitsLoss", "BCELoss")


class TargetDtype(Repair):
    """Convert the targets where the loss is computed."""

    signs = re.compile(
        r"expected target dtype to be Long|expected scalar type Long but found|not implemented for 'Int'"
        r"|result type Float can't be cast to the desired output type (Long|Int|Bool)"
        r"|Found dtype (Long|Int|Double) but expected Float"
    )
    cause = "the targets are of another type than the loss takes"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        wants_classes = re.search(r"dtype to be Long|type Long but|for 'Int'", failure.text) is not None
        kinds, method = (_CLASSES, "long") if wants_classes else (_VALUES, "float")
        script = ParsedScript(source)
        held = {
            ast.unparse(target)
            for node in ast.walk(script.tree)
            if isinstance(node, ast.Assign) and _is_of(script, node.value, kinds)
            for target in node.targets
        }
        calls = [
            call
            for call in script.calls()
            if (script.called(call).startswith(_FUNCTIONAL) and _is_of(script, call, kinds))
            or ast.unparse(call.func) in held
        ]
        targets = [call.args[1] for call in calls if len(call.args) > 1]
        targets = [target for target in targets if not script.text(target).endswith(f".{method}()")]
        if not targets:
            raise EditError(f"Expected a loss that is given its targets by position, found none. Give it .{method}().")
        edits = [edit for target in targets for edit in _converted(script, target, method)]
        return rebuild(source, edits), f"targets are converted by .{method}() where the loss is computed"


def _is_of(script: ParsedScript, node: ast.expr, kinds: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Call) and script.called(node).rpartition(".")[2] in kinds


def _converted(script: ParsedScript, target: ast.expr, method: str) -> list[Edit]:
    end = script.end(target)
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return [Edit(end, end, f".{method}()")]
    start = script.start(target)
    return [Edit(start, start, "("), Edit(end, end, f").{method}()")]
