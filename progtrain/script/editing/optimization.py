"""The optimizer and the return of configure_optimizers in a script's text."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from progtrain.errors import EditError
from progtrain.script.editing.edit import reference, without_unused, written
from progtrain.script.reading.structure import Edit, ParsedScript, argument, rebuild

_OPTIMIZERS = "torch.optim"
_SCHEDULERS = "torch.optim.lr_scheduler"
_LONGEST_LINE = 110


@dataclass(frozen=True)
class Optimization:
    """How a script makes its one optimizer.

    Args:
        script: that it stands in.
        call: `torch.optim.SGD(self.parameters(), lr=LR)`.
        returned: the return statement of configure_optimizers.
        returned_optimizer: the expression in it that is the optimizer: `call` itself, or a name.
    """

    script: ParsedScript
    call: ast.Call
    returned: ast.Return
    returned_optimizer: ast.Call | ast.Name

    @property
    def kind(self) -> str:
        """Name of the optimizer's class."""
        return self.script.called(self.call).rpartition(".")[2]


def find_optimization(script: ParsedScript) -> Optimization:
    """The script's optimizer, where it is made and where it is returned.

    Raises:
        EditError: there is not exactly one, or its way to the return is not understood.
    """
    functions = [
        node
        for node in ast.walk(script.tree)
        if isinstance(node, ast.FunctionDef) and node.name == "configure_optimizers"
    ]
    calls = find_optimizers(script)
    if len(functions) != 1 or len(calls) != 1:
        raise EditError(
            f"Expected one configure_optimizers with one torch.optim optimizer named in it, found {len(functions)} "
            f"with {len(calls)}; a class that comes by an argument or a table is not followed here. Name it there."
        )
    returns = [node for node in ast.walk(functions[0]) if isinstance(node, ast.Return) and node.value is not None]
    optimizer = _optimizer_in(returns[0].value, calls[0], functions[0]) if len(returns) == 1 else None
    if optimizer is None:
        raise EditError(
            f"Line {functions[0].lineno}: expected configure_optimizers to end in one return of the optimizer alone, "
            "a name, a list or a dict of it. Write it so, or change it by hand."
        )
    return Optimization(script, calls[0], returns[0], optimizer)


def find_optimizers(script: ParsedScript) -> tuple[ast.Call, ...]:
    """Every call of a torch.optim class."""
    return tuple(call for call in script.calls() if script.called(call).rpartition(".")[0] == _OPTIMIZERS)


def add_scheduler(
    optimization: Optimization, scheduler: str, arguments: str, settings: Mapping[str, str]
) -> tuple[Edit, ...]:
    """The edits that build a scheduler and return it beside the optimizer.

    Args:
        optimization: the script's.
        scheduler: the expression of its class.
        arguments: of its construction, behind the optimizer; `{optimizer}` stands for the optimizer's name.
        settings: what Lightning is told about it: {"interval": "step"}, {"monitor": "val_loss"}.

    Raises:
        EditError: the script has a scheduler, or its return shares a line.
    """
    script, returned, result = optimization.script, optimization.returned, optimization.returned_optimizer
    script.expect_own_line(returned)
    if any(script.called(call).startswith(_SCHEDULERS) for call in script.calls()):
        raise EditError("Expected a constant learning rate, found a scheduler. Change its arguments instead.")
    start, end, indent = script.start(returned), script.end(returned), script.indentation(script.start(returned))
    optimizer = result.id if isinstance(result, ast.Name) else "optimizer"
    given = f"{optimizer}, {arguments.replace('{optimizer}', optimizer)}"
    built = f"scheduler = {scheduler}({given})"
    if len(indent) + len(built) > _LONGEST_LINE:
        built = f"scheduler = {scheduler}(\n{indent}    {given}\n{indent})"
    told = "".join(f', "{key}": {written(value, "")}' for key, value in settings.items())
    schedule = f'{{"scheduler": scheduler{told}}}' if told else "scheduler"
    lines = f'{built}\n{indent}return {{"optimizer": {optimizer}, "lr_scheduler": {schedule}}}'
    if isinstance(result, ast.Name):
        return (Edit(start, end, lines),)
    if result is not returned.value:
        return (Edit(start, end, f"{optimizer} = {script.text(result)}\n{indent}{lines}"),)
    # A comment behind the optimizer stays with it.
    return Edit(start, script.start(result), f"{optimizer} = "), script.new_line_after(returned, lines)


def schedule_follows_rate(script: ParsedScript) -> bool:
    """Whether every peak rate that a scheduler names is written in terms of the optimizer's rate."""
    rates = [script.text(rate) for call in find_optimizers(script) if (rate := argument(call, 1, "lr"))]
    peaks = [
        script.text(peak)
        for node in script.calls()
        if script.called(node).startswith(_SCHEDULERS)
        if (peak := next((given.value for given in node.keywords if given.arg == "max_lr"), None))
    ]
    return all('.defaults["lr"]' in peak or any(rate in peak for rate in rates) for peak in peaks)


def rate_expression(optimization: Optimization, factor: float) -> str:
    """Source of `factor` times the optimizer's learning rate, that follows when the rate is changed.

    Args:
        optimization: the script's.
        factor: without unit; 1 gives the rate itself.
    """
    rate = argument(optimization.call, 1, "lr")
    followed = isinstance(rate, ast.Name | ast.Attribute | ast.Subscript)
    # A literal would have to be written twice, and the two could be changed apart.
    written = optimization.script.text(rate) if rate is not None and followed else '{optimizer}.defaults["lr"]'
    return written if factor == 1 else f"{factor:g} * {written}"


#: Arguments of the classes replaced that AdamW has no use for, and the positional order of the others.
_DROPPED = frozenset(
    ("momentum", "dampening", "nesterov", "alpha", "centered", "lr_decay", "initial_accumulator_value", "rho")
)


def to_adamw(source: str, kind: str, weight_decay: float | None) -> str:
    """The source with its one optimizer, a torch.optim `kind`, made an AdamW.

    Parameters, rate, weight decay and what both classes know are kept; momentum and its like are dropped.

    Args:
        source: the script.
        kind: name of the class to be replaced.
        weight_decay: written where the script names none; None leaves AdamW's default.

    Raises:
        EditError: the script's optimizer is not one of `kind`, or its arguments are not understood.
    """
    source, adamw = reference(source, "torch.optim.AdamW")
    script = ParsedScript(source)
    calls = find_optimizers(script)
    kinds = [script.called(call).rpartition(".")[2] for call in calls]
    if kinds != [kind]:
        raise EditError(f"Expected one optimizer, a torch.optim.{kind}, got {kinds or 'none'}. Nothing to replace.")
    call = calls[0]
    if len(call.args) > 2 or any(isinstance(given, ast.Starred) for given in call.args):
        raise EditError(
            f"Line {call.lineno}: expected arguments behind the rate by name. Write {kind}(..., name=value)."
        )
    kept = [given for given in call.keywords if given.arg not in _DROPPED]
    if any(given.arg is None for given in kept):
        raise EditError(f"Line {call.lineno}: expected {kind}'s arguments spelled out, got **. Write them out.")
    named = any(given.arg == "weight_decay" for given in kept)
    added = [] if named or weight_decay is None else [f"weight_decay={weight_decay:g}"]
    arguments = [script.text(given) for given in call.args] + [f"{k.arg}={script.text(k.value)}" for k in kept] + added
    if len(kept) == len(call.keywords) and not added:
        child = rebuild(source, [script.replace(call.func, adamw)])
    else:
        child = rebuild(source, [script.replace(call, f"{adamw}({', '.join(arguments)})")])
    return without_unused(child, f"{_OPTIMIZERS}.{kind}")


def _optimizer_in(value: ast.expr | None, call: ast.Call, function: ast.FunctionDef) -> ast.Call | ast.Name | None:
    match value:
        case ast.Call():
            return value if value is call else None
        case ast.Name(id=name):
            return value if _assigned_once(function, name) is call else None
        case ast.List(elts=[only]) | ast.Tuple(elts=[only]):
            return _optimizer_in(only, call, function)
        case ast.Tuple(elts=[only, ast.List(elts=[])]):
            return _optimizer_in(only, call, function)
        case ast.Dict(keys=[ast.Constant(value="optimizer")], values=[only]):
            return _optimizer_in(only, call, function)
    return None


def _assigned_once(function: ast.FunctionDef, name: str) -> ast.expr | None:
    values: list[ast.expr] = []
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                values.append(value)
    return values[0] if len(values) == 1 else None
