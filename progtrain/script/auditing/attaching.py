"""One more logger or callback for the Trainer: in its call, in LightningCLI's defaults, or once it is made."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from progtrain.records import Snapshot
from progtrain.script.auditing.calls import add_keywords, calls_of, hides_arguments, is_one_a_line, last_argument
from progtrain.script.auditing.construction import Construction, placed
from progtrain.script.auditing.sites import TRAINER, Site
from progtrain.script.reading.modules import ModuleDisplay
from progtrain.script.reading.structure import Edit, ParsedScript, argument


@dataclass(frozen=True)
class Attached:
    """How something is attached: by edits, or by lines to be run before the training."""

    edits: tuple[Edit, ...] = ()
    before: tuple[str, ...] = ()


def attach_logger(
    script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...], made: Construction
) -> Attached | None:
    """A logger beside those that are there; None where the script has no place for it.

    Args:
        script: the baseline.
        snapshot: what it is about to train.
        sites: where it trains.
        made: the logger.
    """
    trainers = calls_of(script, "Trainer")
    if len(trainers) == 1 and not _may_hide(trainers[0], "logger"):
        return Attached(_with_logger(script, trainers[0], made))
    if len(sites) != 1:
        return None
    others = any(not each.type.endswith("CSVLogger") for each in snapshot.loggers)
    line = f"{TRAINER}.loggers = [*{TRAINER}.loggers, {made.text}]" if others else f"{TRAINER}.logger = {made.text}"
    return Attached(before=(line,))


def attach_callbacks(
    script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...], made: Sequence[Construction]
) -> Attached | None:
    """Callbacks beside those that are there; None where the script has no place for them.

    Args:
        script: the baseline.
        snapshot: what it is about to train.
        sites: where it trains.
        made: the callbacks.
    """
    trainers, commands = calls_of(script, "Trainer"), calls_of(script, "LightningCLI")
    if len(trainers) == 1 and not (_may_hide(trainers[0], "callbacks") and not _has_default_checkpoint(snapshot)):
        enabled = argument(trainers[0], len(trainers[0].args), "enable_checkpointing")
        switched = (script.replace(enabled, "True"),) if enabled is not None else ()
        return Attached((*_with_callbacks(script, trainers[0], made), *switched))
    if len(commands) == 1 and not trainers and (edits := _in_defaults(script, commands[0], made)):
        return Attached(edits)
    if len(sites) != 1:
        return None
    return Attached(before=tuple(f"{TRAINER}.callbacks.append({each.text})" for each in made))


def _may_hide(call: ast.Call, keyword: str) -> bool:
    return hides_arguments(call) and argument(call, len(call.args), keyword) is None


def _has_default_checkpoint(snapshot: Snapshot) -> bool:
    """Whether the only callback is the ModelCheckpoint of a Trainer that was given none."""
    return snapshot.callbacks == ("ModelCheckpoint",) and snapshot.checkpoints[0].filename is None


def _with_logger(script: ParsedScript, trainer: ast.Call, made: Construction) -> tuple[Edit, ...]:
    given = argument(trainer, len(trainer.args), "logger")
    if given is None:
        ahead, texts = placed(script, last_argument(trainer), [made], own_line=is_one_a_line(trainer))
        return *ahead, *add_keywords(script, trainer, [f"logger={texts[0]}"])
    if isinstance(given, ast.Constant):
        ahead, texts = placed(script, given, [made])
        return *ahead, script.replace(given, texts[0])
    return _extended(script, given, [made], one_allowed=True)


def _with_callbacks(script: ParsedScript, trainer: ast.Call, made: Sequence[Construction]) -> tuple[Edit, ...]:
    given = argument(trainer, len(trainer.args), "callbacks")
    if given is not None:
        return _extended(script, given, made)
    ahead, texts = placed(script, last_argument(trainer), made, own_line=is_one_a_line(trainer))
    return *ahead, *add_keywords(script, trainer, [f"callbacks=[{', '.join(texts)}]"])


def _extended(
    script: ParsedScript, given: ast.expr, made: Sequence[Construction], *, one_allowed: bool = False
) -> tuple[Edit, ...]:
    """The edits that add elements to a list, to the one element that stands in its place, or to something unknown.

    Args:
        script: that it stands in.
        given: the expression.
        made: the elements.
        one_allowed: whether anything else than a list stands for one element.
    """
    value = _value(script, given)
    if isinstance(value, ast.List) and value.elts:
        display = ModuleDisplay(script, tuple(value.elts), value)
        on_own_lines = script.begins_line(value.elts[-1])
        ahead, texts = ((), tuple(each.text for each in made)) if on_own_lines else placed(script, value.elts[-1], made)
        return *ahead, *display.insert_after(len(value.elts) - 1, texts)
    if isinstance(value, ast.List | ast.Constant):
        ahead, texts = placed(script, value, made)
        return *ahead, script.replace(value, f"[{', '.join(texts)}]")
    alone = one_allowed or script.called(value).rpartition(".")[2][:1].isupper()
    ahead, texts = placed(script, given, made)
    return *ahead, script.replace(given, f"[{'' if alone else '*'}{script.text(given)}, {', '.join(texts)}]")


def _value(script: ParsedScript, given: ast.expr) -> ast.expr:
    """What a name is assigned, where it is assigned once; any other expression itself."""
    values = [
        node.value
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Assign) and [script.text(target) for target in node.targets] == [script.text(given)]
    ]
    return values[0] if isinstance(given, ast.Name) and len(values) == 1 else given


def _in_defaults(script: ParsedScript, command: ast.Call, made: Sequence[Construction]) -> tuple[Edit, ...]:
    """In `LightningCLI(trainer_defaults={"callbacks": [...]})`, whose callbacks are there whatever a file says."""
    given = argument(command, 5, "trainer_defaults")
    if given is None and not hides_arguments(command):
        ahead, texts = placed(script, last_argument(command), made)
        return *ahead, *add_keywords(script, command, [f'trainer_defaults={{"callbacks": [{", ".join(texts)}]}}'])
    defaults = _value(script, given) if given is not None else None
    if not isinstance(defaults, ast.Dict) or not defaults.values or None in defaults.keys:
        return ()
    keys = [key for key in defaults.keys if key is not None]
    for key, value in zip(keys, defaults.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "callbacks":
            return _extended(script, value, made)
    last = defaults.values[-1]
    between = f",\n{script.indentation(script.start(keys[-1]))}" if script.begins_line(keys[-1]) else ", "
    ahead, texts = placed(script, last, made)
    return *ahead, Edit(script.end(last), script.end(last), f'{between}"callbacks": [{", ".join(texts)}]')
