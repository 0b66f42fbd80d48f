"""An exponential moving average of the weights, which is what is validated and kept (Polyak and Juditsky 1992)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from math import ceil

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction, one_optimizer
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.arguments import add_keyword
from progtrain.script.edit import reference
from progtrain.script.index import Index
from progtrain.script.modules import ModuleDisplay
from progtrain.script.structure import Edit, ParsedScript, rebuild

_TRAINERS = frozenset({"lightning.Trainer", "lightning.pytorch.Trainer", "pytorch_lightning.Trainer"})
_CALLBACK = "lightning.pytorch.callbacks.EMAWeightAveraging"
#: The average looks back over about 1 / (1 - decay) steps, which should be a small part of the training.
_SHORT_DECAY, _LONG_DECAY, _LONG_TRAINING_STEPS = 0.99, 0.999, 20_000
_FEWEST_STEPS = 300


class EMA(StructuralAction):
    """Add Lightning's EMAWeightAveraging callback to the Trainer."""

    family = "regularization"
    touches = frozenset({"averaging"})
    answers = ("late-jitter", "oscillating", "within-noise")
    risk = "low"
    probability = 0.5
    gain = 0.08
    goal = "Average away what the last steps add by chance"
    expected_impact = "A smoother validation metric, and a somewhat better best epoch"
    verification = "The spread of the validation metric over the last quarter is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        one_optimizer(situation)
        present = [name for name in situation.snapshot.callbacks if "Averaging" in name]
        if present:
            raise EditError(f"the weights are averaged already, by {present[0]}")
        steps = _steps(situation.snapshot)
        if steps < _FEWEST_STEPS:
            raise EditError(f"{steps} steps are too few to average over; it wants {_FEWEST_STEPS}")
        decay = _SHORT_DECAY if steps < _LONG_TRAINING_STEPS else _LONG_DECAY
        return Binding({"decay": decay}, f"EMAWeightAveraging with a decay of {decay:g}", self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source, name = reference(source, _CALLBACK)
        script = ParsedScript(source)
        if any(script.called(call).endswith("Averaging") for call in script.calls()):
            raise EditError("Expected weights that are not averaged, found an averaging callback. Nothing to add.")
        trainers = [call for call in script.calls() if script.called(call) in _TRAINERS]
        if len(trainers) != 1:
            raise EditError(f"Expected one Trainer, found {len(trainers)}. Add the callback by hand.")
        edits = _with_callback(script, trainers[0], f"{name}(decay={parameters['decay']})")
        return changed(source, rebuild(source, edits), self.name)


def _steps(snapshot: Snapshot) -> int:
    train = snapshot.train
    if snapshot.max_steps > 0:
        return snapshot.max_steps
    if train is None or not train.size or not train.batch_size or not snapshot.max_epochs:
        raise EditError("the number of training steps is not known")
    return snapshot.max_epochs * ceil(train.size / train.batch_size) // snapshot.accumulate_grad_batches


def _with_callback(script: ParsedScript, trainer: ast.Call, callback: str) -> tuple[Edit, ...]:
    given = next((keyword.value for keyword in trainer.keywords if keyword.arg == "callbacks"), None)
    if given is None:
        return tuple(add_keyword(Index(script.source), trainer, f"callbacks=[{callback}]"))
    match _value(script, given):
        case ast.List(elts=[]) as empty:
            return (script.replace(empty, f"[{callback}]"),)
        case ast.List(elts=elements) as callbacks:
            return ModuleDisplay(script, tuple(elements), callbacks).insert_after(len(elements) - 1, (callback,))
    raise EditError(f"Line {trainer.lineno}: expected the Trainer's callbacks as a list. Write callbacks=[...] there.")


def _value(script: ParsedScript, given: ast.expr) -> ast.expr:
    """What a name is assigned, where it is assigned once; any other expression itself."""
    values = [
        node.value
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(given)
    ]
    return values[0] if isinstance(given, ast.Name) and len(values) == 1 else given
