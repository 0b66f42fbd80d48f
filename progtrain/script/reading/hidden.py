"""Hidden layers in a script's text: a layer whose output meets an activation, listed or called in forward."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from progtrain.errors import EditError
from progtrain.script.reading.modules import ModuleList, module_lists
from progtrain.script.reading.structure import Edit, ParsedScript, argument

ACTIVATION_MODULES = frozenset(
    f"torch.nn.{name}"
    for name in ("ReLU", "GELU", "SiLU", "LeakyReLU", "ELU", "SELU", "Mish", "Tanh", "Sigmoid", "ReLU6", "Hardswish")
)
_FUNCTIONS = ("relu", "gelu", "silu", "leaky_relu", "elu", "selu", "mish", "tanh", "sigmoid", "relu6", "hardswish")
ACTIVATION_FUNCTIONS = frozenset(f"{room}.{name}" for room in ("torch.nn.functional", "torch") for name in _FUNCTIONS)
_BETWEEN = re.compile(r"torch\.nn\.(\w*Norm\w*|\w*Dropout\w*)$")
_SIZES = {
    "torch.nn.Linear": (0, "in_features", 1, "out_features"),
    "torch.nn.Conv1d": (0, "in_channels", 1, "out_channels"),
    "torch.nn.Conv2d": (0, "in_channels", 1, "out_channels"),
}


@dataclass(frozen=True)
class HiddenLayer(ABC):
    """A layer and the activation behind it.

    Args:
        script: that both stand in.
        layer: the call that makes it, `nn.Linear(40, 64)`.
        activation: the module's call, `nn.ReLU()`, or the function's, `F.relu(self.fc1(x))`.
    """

    script: ParsedScript
    layer: ast.Call
    activation: ast.expr

    @property
    def kind(self) -> str:
        """Name of the layer's class: Linear, Conv1d or Conv2d."""
        return self.script.called(self.layer).rpartition(".")[2]

    @property
    def input_size(self) -> ast.expr | None:
        """The expression of the layer's input size."""
        position, keyword, _, _ = _SIZES[self.script.called(self.layer)]
        return argument(self.layer, position, keyword)

    @property
    def output_size(self) -> ast.expr | None:
        """The expression of the layer's output size."""
        _, _, position, keyword = _SIZES[self.script.called(self.layer)]
        return argument(self.layer, position, keyword)

    @abstractmethod
    def put_after_layer(self, module: str, name: str) -> tuple[Edit, ...]:
        """The edits that run `module` between layer and activation; an attribute for it is named after `name`."""

    @abstractmethod
    def put_after_activation(self, module: str, name: str) -> tuple[Edit, ...]:
        """The edits that run `module` on the activation's output; an attribute for it is named after `name`."""


@dataclass(frozen=True)
class ListedLayer(HiddenLayer):
    """A layer in a list of modules: `nn.Sequential(nn.Linear(40, 64), nn.ReLU())`.

    Args:
        modules: the list.
        layer_index: of the layer in it.
        activation_index: of the activation in it.
    """

    modules: ModuleList
    layer_index: int
    activation_index: int

    def put_after_layer(self, module: str, name: str) -> tuple[Edit, ...]:
        """See HiddenLayer."""
        return self.modules.insert_after(self.layer_index, (module,))

    def put_after_activation(self, module: str, name: str) -> tuple[Edit, ...]:
        """See HiddenLayer."""
        return self.modules.insert_after(self.activation_index, (module,))


@dataclass(frozen=True)
class CalledLayer(HiddenLayer):
    """A layer held as an attribute and called in forward: `F.relu(self.fc1(x))`.

    Args:
        statement: `self.fc1 = nn.Linear(40, 64)`.
        attribute: `fc1`.
        call: `self.fc1(x)`.
        taken: the attributes that the class already has.
        layers: those of them that are layers.
    """

    statement: ast.stmt
    attribute: str
    call: ast.Call
    taken: frozenset[str]
    layers: frozenset[str]

    def put_after_layer(self, module: str, name: str) -> tuple[Edit, ...]:
        """See HiddenLayer."""
        return self._hold_and_wrap(self.call, module, name)

    def put_after_activation(self, module: str, name: str) -> tuple[Edit, ...]:
        """See HiddenLayer."""
        return self._hold_and_wrap(self.activation, module, name)

    def _hold_and_wrap(self, call: ast.expr, module: str, name: str) -> tuple[Edit, ...]:
        digits = _trailing_digits(self.attribute)
        alone = digits and [_trailing_digits(layer) for layer in self.layers].count(digits) == 1
        attribute = f"{name}{digits}" if alone else f"{self.attribute}_{name}"
        if attribute in self.taken:
            raise EditError(f"Line {self.statement.lineno}: self.{attribute} is taken. Rename that attribute.")
        hold = self.script.new_line_after(self.statement, f"self.{attribute} = {module}")
        return hold, *self.script.wrap(call, f"self.{attribute}")


def _trailing_digits(attribute: str) -> str:
    return attribute[len(attribute.rstrip("0123456789")) :]


def hidden_layers(script: ParsedScript) -> tuple[HiddenLayer, ...]:
    """Every hidden layer of the script that is understood, in the order of the text.

    Raises:
        EditError: there is none.
    """
    found = sorted([*_listed(script), *_called(script)], key=lambda hidden: script.start(hidden.layer))
    if not found:
        raise EditError(
            "Expected a Linear or Conv layer followed by an activation, in nn.Sequential(...), in a list of modules, "
            "or as self.layer called in forward; found none. Write the model in one of these ways."
        )
    return tuple(found)


def _listed(script: ParsedScript) -> Iterator[ListedLayer]:
    for modules in module_lists(script):
        names = [script.called(element) for element in modules.elements]
        for index, (element, name) in enumerate(zip(modules.elements, names, strict=True)):
            if name not in _SIZES or not isinstance(element, ast.Call):
                continue
            behind = index + 1
            while behind < len(names) and _BETWEEN.match(names[behind]):
                behind += 1
            if behind < len(names) and names[behind] in ACTIVATION_MODULES:
                yield ListedLayer(script, element, modules.elements[behind], modules, index, behind)


def _called(script: ParsedScript) -> Iterator[CalledLayer]:
    for owner in ast.walk(script.tree):
        if not isinstance(owner, ast.ClassDef):
            continue
        held = dict(_attributes(owner))
        modules = {name: script.called(statement.value) for name, statement in held.items()}
        taken = frozenset(held)
        layers = frozenset(name for name, module in modules.items() if module in _SIZES)
        calls = _calls_of_attributes(owner)
        for name, statement in held.items():
            # A layer that is called twice shares its weights; what is put behind it would be shared as well.
            uses = calls.get(name, [])
            if modules[name] not in _SIZES or not isinstance(statement.value, ast.Call) or len(uses) != 1:
                continue
            activation = _activation_of(script, uses[0], modules)
            if activation is not None:
                yield CalledLayer(script, statement.value, activation, statement, name, uses[0], taken, layers)


def _attributes(owner: ast.ClassDef) -> Iterator[tuple[str, ast.Assign]]:
    for node in ast.walk(owner):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)]):
                yield name, node


def _calls_of_attributes(owner: ast.ClassDef) -> dict[str, list[ast.Call]]:
    calls: dict[str, list[ast.Call]] = {}
    for node in ast.walk(owner):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                calls.setdefault(name, []).append(node)
    return calls


def _activation_of(script: ParsedScript, call: ast.expr, modules: dict[str, str]) -> ast.expr | None:
    """The activation that the value of `call` goes into, through normalization and dropout."""
    taker = _taker(script, call)
    if taker is None:
        return None
    match taker:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
            function = modules.get(name, "")
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if value is call:
            function = f"torch.{method}"
        case _:
            function = script.called(taker)
    if function in ACTIVATION_FUNCTIONS | ACTIVATION_MODULES:
        return taker
    return _activation_of(script, taker, modules) if _BETWEEN.match(function) else None


def _taker(script: ParsedScript, value: ast.expr) -> ast.expr | None:
    """The call that `value` is the first argument of, directly or by the name it is assigned to one line before."""
    parent = script.parent(value)
    match parent:
        case ast.Call(args=[first, *_]) if first is value:
            return parent
        case ast.Attribute(attr=_) if isinstance(outer := script.parent(parent), ast.Call) and outer.func is parent:
            return outer
        case ast.Assign(targets=[ast.Name(id=name)]):
            following = _next_statement(script, parent)
            if isinstance(following, ast.Assign | ast.Return) and isinstance(following.value, ast.Call):
                given = following.value.args[:1]
                return following.value if given and isinstance(given[0], ast.Name) and given[0].id == name else None
    return None


def _next_statement(script: ParsedScript, statement: ast.stmt) -> ast.stmt | None:
    body = getattr(script.parent(statement), "body", None)
    if not isinstance(body, list) or statement not in body:
        return None
    following: list[ast.stmt] = body[body.index(statement) + 1 : body.index(statement) + 2]
    return following[0] if following else None
