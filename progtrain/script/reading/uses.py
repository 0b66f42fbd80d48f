"""The calls of a script that set knobs, and which of its data loaders is the one for training."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from progtrain.script.reading.constructors import optimizer_behind
from progtrain.script.reading.following import Context
from progtrain.script.reading.index import FunctionNode, Index
from progtrain.script.reading.resolve import Resolver
from progtrain.script.reading.signatures import LOADER, SIZES, TRAINER, kind, signature
from progtrain.script.reading.sites import Sites, Spread, passed

_TRAIN: Final = frozenset({"train", "training", "trn", "tr"})
_OTHER: Final = frozenset({"val", "valid", "validation", "test", "testing", "dev", "eval", "predict", "holdout"})
_MEASURING: Final = frozenset({"validation_step", "test_step", "predict_step"})
_CLI: Final = "lightning.cli.LightningCLI"


@dataclass(frozen=True)
class Use:
    """A value that sets a knob where it is used.

    Args:
        knob: canonical.
        value: the expression that is passed.
        where: "argument lr of SGD(...)".
        context: which call of a helper function is meant.
    """

    knob: str
    value: ast.expr
    where: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A class or function whose choice is itself a knob: `torch.optim.SGD` in a call of it.

    Args:
        knob: canonical.
        name: of the class or function, without its module.
        function: the expression that names it.
    """

    knob: str
    name: str
    function: ast.expr


class Uses:
    """Finds uses and choices in one script.

    Args:
        index: of the script.
        sites: of the same.
    """

    def __init__(self, index: Index, sites: Sites) -> None:
        self._index = index
        self._sites = sites
        resolver = Resolver(index, sites)
        self.named: list[tuple[ast.Call, str]] = [
            (call, name)
            for call in index.calls
            if (name := index.qualified(call.func) or optimizer_behind(call, index, resolver)) is not None
        ]

    def calls(self, *names: str) -> list[ast.Call]:
        """The calls of these, by their qualified names."""
        return [call for call, name in self.named if name in names]

    def train_loader(self) -> tuple[ast.Call, Context] | None:
        """The DataLoader of the training set, and the call of the helper function that makes it, if one does."""
        loaders = self.calls(LOADER)
        given = self._given_to_fit(loaders)
        if given is not None:
            return given
        for call in loaders:
            for context in self._contexts(call):
                if self._role(next(iter(context.values()), call)) == "train":
                    return call, context
        unclear = [call for call in loaders if self._role(call) is None]
        return (unclear[0], {}) if len(unclear) == 1 else None

    def choices(self) -> Iterator[Choice]:
        """Classes and functions whose choice is a knob."""
        for call, name in self.named:
            knob = kind(name)
            if knob is not None and not (knob == "loss" and self._is_measuring(call)):
                yield Choice(knob, name.rpartition(".")[2], call.func)

    def values(self) -> Iterator[Use]:
        """Arguments that set a knob."""
        train = self.train_loader()
        for call, name in self.named:
            if name == LOADER:
                if train is not None and call is train[0]:
                    yield from self._arguments(call, name, train[1])
            elif name == _CLI:
                yield from self._trainer_defaults(call)
            elif not (name == "torch.nn.functional.cross_entropy" and self._is_measuring(call)):
                yield from self._arguments(call, name, {})
                yield from self._parameter_groups(call, name)

    def sizes(self) -> Iterator[tuple[Use, bool]]:
        """Sizes of layers in the order of the source, and whether each is the input or output of its network."""
        networks: dict[ast.ClassDef | None, list[tuple[ast.Call, str]]] = {}
        for call, name in self.named:
            if name in SIZES:
                networks.setdefault(self._index.owner(call), []).append((call, name))
        for layers in networks.values():
            for position, (call, name) in enumerate(layers):
                for side, argument in enumerate(SIZES[name]):
                    value = passed(call, SIZES[name], argument)
                    is_outer = (position == 0 and side == 0) or (position == len(layers) - 1 and side == 1)
                    if isinstance(value, ast.expr):
                        yield Use("width", value, _where(argument, name)), is_outer

    # --- arguments ---

    def _arguments(self, call: ast.Call, name: str, context: Context) -> Iterator[Use]:
        known = signature(name)
        for argument, knob in known.knobs.items() if known else ():
            value = passed(call, known.positional, argument) if known else None
            if isinstance(value, Spread) and value.mapping is not None:
                value = self._entry(value.mapping, argument)
            if isinstance(value, ast.expr):
                yield Use(knob, _in_training(value), _where(argument, name), context)

    def _parameter_groups(self, call: ast.Call, name: str) -> Iterator[Use]:
        if kind(name) != "optimizer" or not call.args or not isinstance(call.args[0], ast.List):
            return
        for group in call.args[0].elts:
            for key, value in zip(group.keys, group.values, strict=True) if isinstance(group, ast.Dict) else ():
                if isinstance(key, ast.Constant) and key.value in ("lr", "weight_decay", "momentum", "betas"):
                    yield Use(str(key.value), value, f"entry {key.value!r} of a parameter group")

    def _trainer_defaults(self, call: ast.Call) -> Iterator[Use]:
        defaults = passed(call, (), "trainer_defaults")
        known = signature(TRAINER)
        if known is None or not isinstance(defaults, ast.expr):
            return
        for argument, knob in known.knobs.items():
            yield Use(knob, self._entry(defaults, argument), _where(argument, "trainer_defaults"))

    def _entry(self, mapping: ast.expr, key: str) -> ast.expr:
        """The reference `mapping["key"]`, which the script does not write, to be followed."""
        reference = ast.copy_location(ast.Subscript(mapping, ast.Constant(key), ast.Load()), mapping)
        return self._index.adopt(reference, self._index.scope(mapping))

    # --- which loader ---

    def _given_to_fit(self, loaders: list[ast.Call]) -> tuple[ast.Call, Context] | None:
        """The loader that `fit` is called with, straight, by name, or from a helper function."""
        for call in self._index.calls:
            if not isinstance(call.func, ast.Attribute) or call.func.attr != "fit":
                continue
            given = passed(call, ("model", "train_dataloaders"), "train_dataloaders")
            made = self._index.definition(given) if isinstance(given, ast.Name) else given
            if not isinstance(made, ast.Call):
                continue
            if made in loaders:
                return made, {}
            helper = self._sites.target(made)
            for loader in loaders:
                if helper is not None and self._index.function(loader) is helper:
                    return loader, {helper: made}
        return None

    def _contexts(self, call: ast.Call) -> list[Context]:
        function = self._index.function(call)
        contexts: list[Context] = [{}]
        if function is not None:
            contexts += [{function: site} for site in self._sites.of(function)]
        return contexts

    def _role(self, site: ast.Call) -> str | None:
        """What a loader is for, by the words around the place where it is made or asked for."""
        statement = next((above for above in self._index.above(site) if isinstance(above, ast.stmt)), None)
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        function = self._index.function(site)
        hints = [
            *(self._index.text(target) for target in targets if not isinstance(target, ast.Tuple)),
            _loader_name(function),
            *(self._index.text(argument) for argument in site.args[:1]),
            *(self._index.text(keyword.value) for keyword in site.keywords if keyword.arg == "dataset"),
        ]
        return next((role for hint in hints if (role := _role_in(hint)) is not None), None)

    def _is_measuring(self, call: ast.Call) -> bool:
        function = self._index.function(call)
        return function is not None and getattr(function, "name", "") in _MEASURING


def _in_training(value: ast.expr) -> ast.expr:
    """What training takes of `0.1 if self.training else 0.0`."""
    match value:
        case ast.IfExp(test=ast.Attribute(attr="training") | ast.Name(id="training"), body=taken):
            return taken
    return value


def _where(argument: str, name: str) -> str:
    return f"argument {argument} of {name.rpartition('.')[2]}(...)"


def _loader_name(function: FunctionNode | None) -> str:
    name = "" if function is None else getattr(function, "name", "")
    return name if "load" in name else ""


def _role_in(text: str) -> str | None:
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
    is_train, is_other = bool(words & _TRAIN), bool(words & _OTHER)
    return None if is_train == is_other else "train" if is_train else "other"
