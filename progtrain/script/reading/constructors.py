"""Which optimizer a script makes where its class comes by an argument, an attribute, a table or a name."""

from __future__ import annotations

import ast
from typing import Final

from progtrain.script.reading.following import Context, Step, Unknown
from progtrain.script.reading.index import Index
from progtrain.script.reading.resolve import Origin, Resolver

_DEPTH: Final = 12
_OPTIMIZERS: Final = "torch.optim."


def optimizer_behind(call: ast.Call, index: Index, resolver: Resolver) -> str | None:
    """The full name of the torch.optim class that a call makes; None where it is no optimizer, or is not followed.

    Args:
        call: that is given the parameters of a model.
        index: of the script.
        resolver: of the same.
    """
    if not any(_are_parameters(argument) for argument in call.args[:1]):
        return None
    step = Step(call.func)
    for _ in range(_DEPTH):
        name = index.qualified(step.expr) or _looked_up(step.expr, step.context, index, resolver)
        if name is not None:
            return name if name.startswith(_OPTIMIZERS) else None
        following = _next(step, index, resolver)
        if isinstance(following, Unknown):
            return None
        step = following
    return None


def _are_parameters(argument: ast.expr) -> bool:
    names = [node.attr for node in ast.walk(argument) if isinstance(node, ast.Attribute)]
    return "parameters" in names or "named_parameters" in names


def _looked_up(node: ast.expr, context: Context, index: Index, resolver: Resolver) -> str | None:
    """`getattr(torch.optim, NAME)`."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[room, key, *_]):
            module, origin = index.qualified(room), resolver.trace(key, "", context)
            return f"{module}.{origin.value}" if module and isinstance(origin, Origin) else None
    return None


def _next(step: Step, index: Index, resolver: Resolver) -> Step | Unknown:
    """One indirection, also by a key that is not written where a table is asked for it."""
    match step.expr:
        case ast.Subscript(value=table, slice=key) if not isinstance(key, ast.Constant):
            origin = resolver.trace(key, "", step.context)
            if isinstance(origin, Unknown) or not isinstance(origin.value, str):
                return Unknown(step.expr, "it is no entry by a name")
            entry = ast.copy_location(ast.Subscript(table, ast.Constant(origin.value), ast.Load()), table)
            return resolver.step(index.adopt(entry, index.scope(table)), step.context)
    return resolver.step(step.expr, step.context)
