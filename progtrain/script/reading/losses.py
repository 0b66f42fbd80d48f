"""What computes the training's loss in a script's text, where it comes from, and whether validation computes it too."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from progtrain.script.reading.classes import is_self
from progtrain.script.reading.deciding import Deciding
from progtrain.script.reading.following import Context, Step, Unknown
from progtrain.script.reading.index import FunctionNode, Index, identifier
from progtrain.script.reading.resolve import Origin, Resolver
from progtrain.script.reading.sites import Sites

_FUNCTIONAL: Final = "torch.nn.functional."
_MODULES: Final = {
    f"torch.nn.{module}": function
    for module, function in (("CrossEntropyLoss", "cross_entropy"), ("NLLLoss", "nll_loss"), ("MSELoss", "mse_loss"))
}
_MEASURING: Final = ("validation_step", "test_step", "predict_step")
#: What any step may come to by calling a module.
_CALLED: Final = ("forward", "__call__")
_BY_NAME: Final = (ast.Dict, ast.If, ast.IfExp, ast.match_case)
_DEPTH: Final = 12


@dataclass(frozen=True)
class LossCall:
    """A call that computes a loss of scores and targets.

    Args:
        call: of the script.
        function: of torch.nn.functional, that it comes to: "cross_entropy".
        made: what makes the module that is called, `nn.CrossEntropyLoss()`; None where a function is called.
        partial: `functools.partial(F.cross_entropy, reduction="sum")`, where that is called.
        measures: whether validation, test or prediction may come to it.
    """

    call: ast.Call
    function: str
    made: ast.Call | None
    partial: ast.Call | None
    measures: bool

    def given(self, name: str) -> ast.expr | None:
        """What the loss is given under a name, when it is called or where it is made; None where nothing."""
        makers = [each for each in (self.call, self.partial, self.made) if each is not None]
        keywords = [keyword for each in makers for keyword in each.keywords]
        return next((keyword.value for keyword in keywords if keyword.arg == name), None)


class Losses:
    """The losses of a script, followed through attributes, arguments, tables and `functools.partial`.

    Args:
        source: the script.

    Attributes:
        index: of the script.
        sites: of the same.
        calls: that compute a loss, in the order of the source.
        has_training_step: whether the script itself has one.
    """

    def __init__(self, source: str) -> None:
        self.index = Index(source)
        self.sites = Sites(self.index)
        self._resolver = Resolver(self.index, self.sites)
        self._deciding = Deciding(self.index, self._resolver)
        self._functions = _functions_by_name(self.index)
        self._measured = self._reached(_MEASURING)
        self._trained = self._reached(("training_step",))
        self._lost: list[tuple[ast.Call, str]] = []
        self.has_training_step = bool(self._functions.get("training_step"))
        self.calls = tuple(self._found())

    def training(self, *functions: str) -> list[LossCall]:
        """The calls of these functions that training comes to."""
        return [loss for loss in self.calls if loss.function in functions and self.trains(loss.call)]

    def trains(self, node: ast.AST) -> bool:
        """Whether training may come to a node; what nothing is known to come to is taken for it."""
        around = self._around(node)
        reached = bool(around & self._trained) or not around & self._measured
        return reached and not self._is_chosen(node, in_training=False)

    def measures(self, node: ast.AST) -> bool:
        """Whether validation, test or prediction may come to a node."""
        return bool(self._around(node) & self._measured) and not self._is_chosen(node, in_training=True)

    def is_measured_by(self, made: ast.Call) -> bool:
        """Whether a module that is made here measures anything."""
        return any(loss.measures for loss in self.calls if loss.made is made)

    def own_modules(self, found: Iterable[LossCall]) -> list[ast.Call]:
        """What makes the modules that these compute by and nothing measures by; none that a name chooses."""
        made = [loss.made for loss in found if loss.made is not None and not self.is_measured_by(loss.made)]
        return [
            call
            for call in dict.fromkeys(made)
            if isinstance(call.func, ast.Name | ast.Attribute)
            and not any(isinstance(above, _BY_NAME) for above in self.index.above(call))
        ]

    def unused(self, module: str) -> list[ast.Call]:
        """What makes such modules ("torch.nn.MSELoss") that nothing is seen to be computed by."""
        used = {loss.made for loss in self.calls}
        return [call for call in self.index.calls if self.index.qualified(call.func) == module and call not in used]

    def derived(self, owner: ast.ClassDef) -> list[str]:
        """Names of the script's classes that derive from one."""
        found = [node for node in ast.walk(self.index.tree) if isinstance(node, ast.ClassDef)]
        return [node.name for node in found if owner in self._above(node)]

    def _above(self, owner: ast.ClassDef) -> list[ast.ClassDef]:
        bases = self.sites.bases(owner)
        return [*bases, *(above for base in bases for above in self._above(base))]

    def measuring_functions(self) -> Iterator[FunctionNode]:
        """Functions that validation, test or prediction may come to."""
        yield from self._measured

    def lost(self) -> str:
        """Which call of the training seems to compute its loss and was not followed, and why; empty where none."""
        return next(
            (
                f"Line {call.lineno}: {self.index.text(call.func)}(...) computes the loss, and {reason}. "
                "Call the loss by its name there, F.cross_entropy(...)."
                for call, reason in self._lost
                if self.trains(call) and _sounds_like_loss(self.index.text(call.func))
            ),
            "",
        )

    # --- who comes where ---

    def _around(self, node: ast.AST) -> set[FunctionNode]:
        return {above for above in self.index.above(node) if isinstance(above, FunctionNode)}

    def _is_chosen(self, node: ast.AST, in_training: bool) -> bool:
        """Whether a node stands in the branch of `self.training` that is taken in training, or in the other."""
        for inner in (node, *self.index.above(node)):
            outer = next(self.index.above(inner), None)
            if not isinstance(outer, ast.If | ast.IfExp) or not _is_training(outer.test):
                continue
            taken = [outer.body] if isinstance(outer.body, ast.expr) else outer.body
            other = [outer.orelse] if isinstance(outer.orelse, ast.expr) else outer.orelse
            if inner in (taken if in_training else other):
                return True
        return False

    def _reached(self, roots: Iterable[str]) -> set[FunctionNode]:
        """Functions that these may come to, told by their names alone: too many rather than too few."""
        waiting = [function for name in roots for function in self._functions[name]]
        reached: set[FunctionNode] = set()
        while waiting:
            function = waiting.pop()
            if function in reached:
                continue
            reached.add(function)
            names = {name for node in ast.walk(function) if (name := _named(node))}
            waiting += [other for name in (*names, *_CALLED) for other in self._functions.get(name, ())]
        return reached

    # --- which loss ---

    def _found(self) -> Iterator[LossCall]:
        for call in self.index.calls:
            if len(call.args) + len(call.keywords) < 2 and not any(isinstance(each, ast.Starred) for each in call.args):
                continue
            found = self._loss_behind(call.func, {})
            if not isinstance(found, Unknown):
                yield LossCall(call, *found, self.measures(call))
            elif self.sites.target(call) is None or self._property(call.func) is not None:
                self._lost.append((call, found.reason))

    def _loss_behind(
        self, expression: ast.expr, context: Context, depth: int = _DEPTH
    ) -> tuple[str, ast.Call | None, ast.Call | None] | Unknown:
        """The function that an expression stands for, what makes the module it is, and what binds arguments."""
        step = Step(expression, "", context)
        for _ in range(depth):
            name = self._name(step)
            if name.startswith(_FUNCTIONAL):
                return name.removeprefix(_FUNCTIONAL), None, None
            if isinstance(step.expr, ast.Call):
                name = self._class_behind(Step(step.expr.func, "", step.context))
                if name.startswith("torch.nn.") and name.endswith("Loss"):
                    return _MODULES.get(name, name), step.expr, None
                if self.index.qualified(step.expr.func) == "functools.partial" and step.expr.args:
                    inner = self._loss_behind(step.expr.args[0], step.context, depth - 1)
                    return inner if isinstance(inner, Unknown) else (*inner[:2], step.expr)
            following = self._next(step)
            if isinstance(following, Unknown):
                return following
            step = following
        return Unknown(expression, "where it comes from goes round in circles")

    def _class_behind(self, step: Step) -> str:
        """The full name of the torch class that an expression stands for; empty where it is none."""
        for _ in range(_DEPTH):
            if isinstance(self.index.definition(step.expr), ast.ClassDef):
                return ""
            name = self._name(step)
            if name.startswith("torch."):
                return name
            following = self._next(step)
            if isinstance(following, Unknown):
                return ""
            step = following
        return ""

    def _name(self, step: Step) -> str:
        """The dotted name that an expression means, also through `getattr(nn, NAME)` and `nn.__dict__[NAME]`."""
        match step.expr:
            case ast.Call(func=ast.Name(id="getattr"), args=[room, key, *_]):
                pass
            case ast.Subscript(value=ast.Attribute(value=room, attr="__dict__"), slice=key):
                pass
            case ast.Subscript(value=ast.Call(func=ast.Name(id="vars"), args=[room]), slice=key):
                pass
            case expression:
                return self.index.qualified(expression) or ""
        name, origin = self.index.qualified(room), self._resolver.trace(key, "", step.context)
        return f"{name}.{origin.value}" if name and isinstance(origin, Origin) else ""

    def _next(self, step: Step) -> Step | Unknown:
        """One indirection, also by a key that is not written where a table is asked for it."""
        match step.expr:
            case ast.Subscript(value=table, slice=key) if not isinstance(key, ast.Constant):
                pass
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[key, *_]) if not isinstance(
                key, ast.Constant
            ):
                pass
            case expression:
                return self._decided(expression, step.context) or self._resolver.step(expression, step.context)
        origin = self._resolver.trace(key, "", step.context)
        if isinstance(origin, Unknown):
            return Unknown(step.expr, f"which entry of {self.index.text(table)} that is is not known: {origin.reason}")
        if not isinstance(origin.value, str | int):
            return Unknown(step.expr, f"it is no entry of {self.index.text(table)} by a name")
        entry = ast.copy_location(ast.Subscript(table, ast.Constant(origin.value), ast.Load()), table)
        return self._resolver.step(self.index.adopt(entry, self.index.scope(table)), step.context)

    def _decided(self, expression: ast.expr, context: Context) -> Step | None:
        """What an expression comes to by a property, or by branches that the script's settings decide."""
        found = self._property(expression)
        match expression:
            case ast.IfExp():
                found = self._deciding.branch(expression, context)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                owner = self.index.owner(expression)
                stores = [each for each in self.index.stores[name] if self.index.owner(each[0]) is owner]
                found = self._deciding.assigned(stores, context) if len(stores) > 1 else found
            case ast.Call() if isinstance(function := self.sites.target(expression), ast.FunctionDef):
                context = {**context, function: expression}
                found = self._deciding.returned(function, context) if function.name != "__init__" else None
        return None if found is None else Step(found, "", context)

    def _property(self, expression: ast.expr) -> ast.expr | None:
        """What a property of `self` answers, where that is one expression; None where it is no property."""
        owner = self.index.owner(expression)
        if not isinstance(expression, ast.Attribute) or not is_self(expression.value) or owner is None:
            return None
        method = self.sites.method(owner, expression.attr)
        names = [] if method is None else [identifier(decorator) for decorator in method.decorator_list]
        answers = (
            [node.value for node in ast.walk(method) if isinstance(node, ast.Return)] if method is not None else []
        )
        return answers[0] if len(answers) == 1 and {"property", "cached_property"} & {*names} else None


def _functions_by_name(index: Index) -> dict[str, list[FunctionNode]]:
    """Functions by their names, lambdas by that of what they are assigned to or given as."""
    found: dict[str, list[FunctionNode]] = defaultdict(list)
    for node in ast.walk(index.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found[node.name].append(node)
            case ast.Assign(targets=targets, value=ast.Lambda() as function):
                for target in targets:
                    found[identifier(target)].append(function)
            case ast.keyword(arg=str(name), value=ast.Lambda() as function):
                found[name].append(function)
    return found


def _named(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
    return ""


def _is_training(test: ast.expr) -> bool:
    match test:
        case ast.Attribute(attr="training") | ast.Name(id="training"):
            return True
    return False


def _sounds_like_loss(name: str) -> bool:
    return any(word in name.lower() for word in ("loss", "criterion", "objective"))
