"""From the use of a value to the literal it comes from, through the indirections that people write."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import JsonValue

from progtrain.script.reading.devices import DEVICES
from progtrain.script.reading.following import Context, Missing, Step, Unknown, Wanted
from progtrain.script.reading.index import FunctionNode, Imported, Index, Rebound
from progtrain.script.reading.literals import Literal, literal
from progtrain.script.reading.members import Members
from progtrain.script.reading.sites import Sites, Spread, click_option, default_of, flag_of, passed

_DEPTH: Final = 40
_CIRCLE: Final = "its value goes round in circles"
_CASTS: Final = {"float", "int", "str", "bool", "tuple", "list"}
_FIELD_MAKERS: Final = {"dataclasses.field", "pydantic.Field", "attrs.field", "attr.ib", "attr.field"}
_OPTION_MAKERS: Final = {"typer.Option", "typer.Argument", "pydantic.Field"}


@dataclass(frozen=True)
class Origin:
    """The literal that a value comes from.

    Args:
        node: the literal, or an arithmetic expression over literals.
        value: of it; tuples as lists.
        where: for people.
        leaves: the literals it is computed from; itself where it is one.
        trail: the references that were followed.
    """

    node: ast.expr
    value: JsonValue
    where: str
    leaves: tuple[ast.expr, ...]
    trail: tuple[ast.expr, ...]


class Resolver:
    """Follows values through one script.

    Args:
        index: of the script.
        sites: of the same.
    """

    def __init__(self, index: Index, sites: Sites) -> None:
        self._index = index
        self._sites = sites
        self._members = Members(index, sites, self)
        self._taken: dict[tuple[ast.expr, frozenset[tuple[ast.AST, ast.Call]]], Step | Unknown] = {}
        self._operands: dict[tuple[ast.expr, frozenset[tuple[ast.AST, ast.Call]]], Literal] = {}

    def trace(
        self, expr: ast.expr, where: str = "", context: Context | None = None, depth: int = _DEPTH
    ) -> Origin | Unknown:
        """Follow an expression to its literal.

        Args:
            expr: the use.
            where: what to call the place if the literal stands right there.
            context: which calls are meant, of functions that are called several times.
            depth: of nested indirections still allowed.
        """
        step = Step(expr, where, context or {})
        trail: list[ast.expr] = []
        for _ in range(depth):
            found = literal(step.expr, partial(self._operand, step.context, depth - 1))
            if isinstance(found, Unknown):
                return found
            if found is not None:
                return Origin(step.expr, found.value, step.where, found.leaves, (*trail, *found.trail))
            trail.append(step.expr)
            following = self.step(step.expr, step.context)
            if isinstance(following, Unknown):
                return following
            step = Step(following.expr, following.where or step.where, following.context)
        return Unknown(step.expr, _CIRCLE)

    def _operand(self, context: Context, depth: int, node: ast.expr) -> Literal | Unknown:
        key = node, frozenset(context.items())
        if key not in self._operands:
            origin = self.trace(node, "", context, depth)
            if isinstance(origin, Unknown):  # at another depth it might be known
                return origin
            self._operands[key] = Literal(origin.value, origin.leaves, origin.trail)
        return self._operands[key]

    # --- one indirection ---

    def step(self, node: ast.expr, context: Context) -> Step | Unknown:
        """Take one indirection from a reference."""
        key = node, frozenset(context.items())
        if key not in self._taken:
            self._taken[key] = Unknown(node, _CIRCLE)  # until it is known; who comes by again meanwhile goes in circles
            self._taken[key] = self._step(node, context)
        return self._taken[key]

    def _step(self, node: ast.expr, context: Context) -> Step | Unknown:
        match node:
            case ast.Name():
                return self._name(node, context)
            case ast.Attribute(value=base, attr=key):
                return self._members.lookup(base, key, node, context)
            case ast.Subscript(value=base, slice=ast.Constant(value=str(key))):
                return self._members.lookup(base, key, node, context)
            case ast.Subscript(value=base, slice=ast.Constant(value=int(position))):
                return self._element(base, position, node, context)
            case ast.NamedExpr(value=value):
                return Step(value, "", context)
            case ast.Call():
                return self._call(node, context)
            case ast.IfExp(test=test, body=body, orelse=other):
                holds = self._holds(test, context)
                return (
                    Unknown(node, "it depends on a condition")
                    if holds is None
                    else Step(body if holds else other, "", context)
                )
            case ast.BoolOp():
                return Unknown(node, "it depends on a condition")
        return Unknown(node, "it is computed while the script runs")

    def _holds(self, test: ast.expr, context: Context) -> bool | None:
        """Whether a condition holds here: of a literal, or of a device; None where that is not known."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            holds = self._holds(test.operand, context)
            return None if holds is None else not holds
        if isinstance(test, ast.Call) and not test.args:
            there = DEVICES.get(self._index.qualified(test.func) or "")
            return None if there is None else there()
        origin = self.trace(test, "", context)
        return bool(origin.value) if isinstance(origin, Origin) else None

    def _name(self, node: ast.Name, context: Context) -> Step | Unknown:
        found = self._index.bindings(node.id, self._index.scope(node))
        if found is None:
            return Unknown(node, f"{node.id} is not defined in this script")
        scope, bindings = found
        if len(bindings) > 1:
            return Unknown(node, f"{node.id} is assigned {len(bindings)} times")
        match bindings[0]:
            case ast.expr() as value if scope is self._index.tree:
                return Step(value, f"module constant {node.id}", context)
            case ast.expr() as value:
                name = getattr(scope, "name", "")
                return Step(value, f"variable {node.id} of {name}" if name else f"variable {node.id}", context)
            case ast.arg():
                function = self._index.function(bindings[0])
                assert function is not None  # an `arg` stands in a function
                return self._parameter(function, node.id, node, context)
            case Imported(name):
                return Unknown(node, f"{node.id} is imported: {name}")
            case Rebound(line):
                return Unknown(node, f"{node.id} changes in line {line}")
        return Unknown(node, f"{node.id} is not a value")

    def _element(self, base: ast.expr, position: int, node: ast.expr, context: Context) -> Step | Unknown:
        whole = self._members.holder(base, context)
        if isinstance(whole, Step) and isinstance(whole.expr, ast.Tuple | ast.List) and position < len(whole.expr.elts):
            return Step(whole.expr.elts[position], whole.where, whole.context)
        return Unknown(node, "it is taken out of something that is not followed")

    def _call(self, node: ast.Call, context: Context) -> Step | Unknown:
        name = self._plain_name(node.func)
        if name in _CASTS and len(node.args) == 1:
            return Step(node.args[0], "", context)
        if name in _FIELD_MAKERS | _OPTION_MAKERS:
            return self._declared(node, name in _OPTION_MAKERS, context)
        if name in {"os.environ.get", "os.getenv"} and len(node.args) == 2:
            return Step(node.args[1], "default of an environment variable", context)
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[base, ast.Constant(value=str(key)), *default]):
                return self._member_or(base, key, default, node, context)
            case ast.Call(
                func=ast.Attribute(value=base, attr="get" | "pop"), args=[ast.Constant(value=str(key)), *default]
            ):
                return self._member_or(base, key, default, node, context)
        returned = self._returned(node, context)
        return returned or Unknown(node, f"it comes from a call of {self._index.text(node.func)}")

    def _declared(self, node: ast.Call, positional: bool, context: Context) -> Step | Unknown:
        default = passed(node, ("default",) if positional else (), "default")
        factory = passed(node, (), "default_factory")
        if isinstance(default, ast.expr):
            return Step(default, "", context)
        if isinstance(factory, ast.Lambda):
            return Step(factory.body, "", context)
        return Unknown(node, "it is declared without a default")

    def _member_or(
        self, base: ast.expr, key: str, default: list[ast.expr], node: ast.expr, context: Context
    ) -> Step | Unknown:
        found = self._members.lookup(base, key, node, context)
        if isinstance(found, Missing) and default:
            return Step(default[0], f"default of {key}", context)
        return found

    def _returned(self, node: ast.Call, context: Context) -> Step | None:
        """The one `return` of a function of this script."""
        function = self._sites.target(node)
        if isinstance(function, ast.Lambda):
            return Step(function.body, "", {**context, function: node})
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            return None
        returns = [
            each
            for each in ast.walk(function)
            if isinstance(each, ast.Return) and self._index.function(each) is function
        ]
        if len(returns) != 1 or returns[0].value is None:
            return None
        return Step(returns[0].value, f"what {function.name} returns", {**context, function: node})

    # --- parameters ---

    def _parameter(self, function: FunctionNode, name: str, node: ast.expr, context: Context) -> Step | Unknown:
        """What reaches a parameter: the argument of its call, else its default."""
        option = click_option(self._index, function, name)
        if option is not None:
            return self._option_default(option, node, context)
        title = self._title(function)
        calls = [context[function]] if function in context else self._sites.of(function)
        default = default_of(function, name)
        default_step = None if default is None else Step(default, f"default of {name} in {title}")
        given = [self._sites.argument(call, function, name) for call in calls]
        return self.supplied(given, default_step, node, Wanted(name, title, context))

    def supplied(
        self, given: Sequence[ast.expr | Spread | None], default: Step | None, node: ast.expr, wanted: Wanted
    ) -> Step | Unknown:
        """What reaches a parameter or field: the one thing that is given for it, else its default."""
        found: list[Step] = []
        for argument in given or [None]:
            step = self._given(argument, default, node, wanted)
            if isinstance(step, Unknown):
                return step
            found.append(step)
        if len({step.expr for step in found}) == 1:
            return found[0]
        origins = [self.trace(step.expr, step.where, step.context) for step in found]
        if all(isinstance(origin, Origin) for origin in origins) and len({origin.node for origin in origins}) == 1:
            return found[0]
        lines = ", ".join(str(line) for line in sorted({step.expr.lineno for step in found}))
        return Unknown(node, f"{wanted.title} gets its {wanted.name} from several places (lines {lines})")

    def _given(
        self, argument: ast.expr | Spread | None, default: Step | None, node: ast.expr, wanted: Wanted
    ) -> Step | Unknown:
        """What one call gives."""
        if isinstance(argument, ast.expr):
            return Step(argument, f"argument {wanted.name} of {wanted.title}(...)", wanted.context)
        if isinstance(argument, Spread):
            if argument.mapping is None:
                return Unknown(node, f"{wanted.name} is passed in a *sequence")
            member = self._members.lookup(argument.mapping, wanted.name, node, wanted.context)
            if not isinstance(member, Missing):
                return member
        return default or Missing(node, f"nothing in this script gives {wanted.title} its {wanted.name}")

    def _title(self, function: FunctionNode) -> str:
        if isinstance(function, ast.Lambda):
            return "lambda"
        owner = self._index.scope(function)
        return owner.name if isinstance(owner, ast.ClassDef) and function.name == "__init__" else function.name

    def _option_default(self, option: ast.Call, node: ast.expr, context: Context) -> Step | Unknown:
        default = passed(option, (), "default")
        if isinstance(default, ast.expr):
            return Step(default, f"default of {flag_of(option)}", context)
        return Unknown(node, f"{flag_of(option)} has no default")

    def _plain_name(self, func: ast.expr) -> str:
        return self._index.qualified(func) or (func.id if isinstance(func, ast.Name) else "")
