"""What the actions that add a Lightning callback have in common."""

from __future__ import annotations

import ast

from progtrain.errors import EditError
from progtrain.records import CheckpointSettings, Snapshot
from progtrain.script.editing.arguments import add_keyword
from progtrain.script.editing.edit import reference
from progtrain.script.reading.index import Index
from progtrain.script.reading.modules import ModuleDisplay
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_TRAINERS = frozenset({"lightning.Trainer", "lightning.pytorch.Trainer", "pytorch_lightning.Trainer"})


def with_callback(source: str, callback: str, arguments: str) -> str:
    """The source with one more callback among the Trainer's.

    Args:
        source: the script.
        callback: full name of its class, "lightning.pytorch.callbacks.EarlyStopping".
        arguments: of its construction, as they are to be written.

    Raises:
        EditError: there is not exactly one Trainer, or its callbacks are no list.
    """
    source, name = reference(source, callback)
    script = ParsedScript(source)
    return rebuild(source, _with_element(script, trainer_call(script), f"{name}({arguments})"))


def trainer_call(script: ParsedScript) -> ast.Call:
    """Where the script makes its Trainer.

    Raises:
        EditError: it does not make exactly one.
    """
    trainers = [call for call in script.calls() if script.called(call) in _TRAINERS]
    if len(trainers) != 1:
        raise EditError(f"Expected one Trainer, found {len(trainers)}. Add the callback by hand.")
    return trainers[0]


def monitored(snapshot: Snapshot) -> CheckpointSettings:
    """The checkpoint that keeps the best version by a metric.

    Raises:
        EditError: none does.
    """
    watched = next((checkpoint for checkpoint in snapshot.checkpoints if checkpoint.monitor), None)
    if watched is None:
        raise EditError("no ModelCheckpoint monitors a metric, which it would watch. Give one monitor='val_loss'")
    return watched


def _with_element(script: ParsedScript, trainer: ast.Call, callback: str) -> tuple[Edit, ...]:
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
