"""What `args.lr`, `cfg["lr"]`, `self.lr` and `self.hparams.lr` stand for: members of whatever holds settings."""

from __future__ import annotations

import ast
from typing import Final

from progtrain.script.reading.classes import Classes, is_self
from progtrain.script.reading.following import Context, Follower, Missing, Step, Unknown, Wanted
from progtrain.script.reading.index import FunctionNode, Index
from progtrain.script.reading.signatures import signature
from progtrain.script.reading.sites import Sites, Spread, flag_of, parser_options, passed

_DEPTH: Final = 20
_NAMESPACES: Final = frozenset(
    {
        "dict",
        "types.SimpleNamespace",
        "argparse.Namespace",
        "omegaconf.OmegaConf.create",
        "omegaconf.DictConfig",
        "ml_collections.ConfigDict",
        "easydict.EasyDict",
        "munch.Munch",
        "addict.Dict",
        "lightning.utilities.AttributeDict",
    }
)
_SAME_CONTENT: Final = frozenset(
    {
        "vars",
        "copy.copy",
        "copy.deepcopy",
        "dataclasses.asdict",
        "attrs.asdict",
        "attr.asdict",
        "omegaconf.OmegaConf.to_container",
        "omegaconf.OmegaConf.structured",
        "tyro.cli",
    }
)
_PARSERS: Final = frozenset({"parse_args", "parse_known_args"})
_SAME_CONTENT_METHODS: Final = frozenset({"model_dump", "dict", "to_dict", "copy", "_asdict"})


class Members:
    """Looks members up in dictionaries, namespaces, parsed arguments, classes, instances and `self`.

    Args:
        index: of the script.
        sites: of the same.
        follower: takes single steps.
    """

    def __init__(self, index: Index, sites: Sites, follower: Follower) -> None:
        self._index = index
        self._sites = sites
        self._follower = follower
        self._classes = Classes(index, sites, follower)

    def lookup(self, base: ast.expr, key: str, node: ast.expr, context: Context, depth: int = _DEPTH) -> Step | Unknown:
        """The expression behind `base.key` or `base["key"]`; `node` is that reference."""
        if depth == 0:
            return Unknown(node, "its value goes round in circles")
        stores = [] if is_self(base) else self._index.stores[key]
        changed = [store for store, _ in stores if self._same_base(store, base)]
        if changed:
            return Unknown(node, f"{self._index.text(changed[0])} is assigned again in line {changed[0].lineno}")
        collector = self._collector(base)
        if collector is not None:
            return self._collected(collector, key, node, context)
        holder = self.holder(base, context)
        return holder if isinstance(holder, Unknown) else self._in(holder, base, key, node, depth)

    def _in(self, holder: Step, base: ast.expr, key: str, node: ast.expr, depth: int) -> Step | Unknown:
        match holder.expr:
            case ast.Dict() as mapping:
                return self._in_dict(mapping, key, node, holder, depth)
            case (ast.Call() as call) | ast.Subscript(value=ast.Call() as call):
                return self._in_call(call, key, node, holder, depth)
            case ast.Attribute(value=optimizer, attr="defaults"):
                return self._in_optimizer(optimizer, key, node, holder)
            case ast.Attribute(value=ast.Name() as myself):
                return self._in_hparams(myself, key, node, holder, depth)
            case ast.Name() as name:
                made = self._index.definition(name)
                owner = made if isinstance(made, ast.ClassDef) else self._index.owner(name)
                if owner is not None:
                    return self._classes.member(owner, key, node, None, holder.context)
        return Unknown(node, f"{self._index.text(base)} is not followed")

    def holder(self, base: ast.expr, context: Context) -> Step | Unknown:
        """Follow a reference to the expression that makes the object it refers to."""
        step = Step(base, "", context)
        for _ in range(_DEPTH):
            if self._holds(step.expr):
                return step
            following = self._follower.step(step.expr, step.context)
            if isinstance(following, Unknown):
                return following
            step = following
        return Unknown(base, "its value goes round in circles")

    def _collector(self, base: ast.expr) -> FunctionNode | None:
        """The function whose `**kwargs` a name is."""
        function = self._index.function(base) if isinstance(base, ast.Name) else None
        if not isinstance(base, ast.Name) or function is None or function.args.kwarg is None:
            return None
        return function if function.args.kwarg.arg == base.id else None

    def _collected(self, function: FunctionNode, key: str, node: ast.expr, context: Context) -> Step | Unknown:
        """What the calls of a function give by a keyword that it collects and hands on."""
        calls = [context[function]] if function in context else self._sites.of(function)
        given = [passed(call, (), key) for call in calls]
        name = getattr(function, "name", "lambda")
        if all(each is None for each in given):
            return Missing(node, f"no call of {name} gives a {key}")
        return self._follower.supplied(given, None, node, Wanted(key, name, context))

    # --- kinds of holders ---

    def _holds(self, node: ast.expr) -> bool:
        match node:
            case ast.Dict() | ast.Tuple() | ast.List():
                return True
            case ast.Name():
                return is_self(node) or isinstance(self._index.definition(node), ast.ClassDef)
            case ast.Attribute(attr="defaults"):
                return True
            case ast.Attribute(value=ast.Name() as myself, attr="hparams"):
                owner = self._index.owner(node)
                return is_self(myself) and owner is not None and not self._classes.assignments(owner, "hparams")
            case ast.Subscript(value=ast.Call() as call):
                return self._is_parser(call)
            case ast.Call():
                return self._is_parser(node) or self._is_copy(node) or self._made_by(node) is not None
        return False

    def _is_parser(self, call: ast.Call) -> bool:
        return isinstance(call.func, ast.Attribute) and call.func.attr in _PARSERS

    def _is_copy(self, call: ast.Call) -> bool:
        name = self._index.qualified(call.func) or self._index.text(call.func)
        is_method = isinstance(call.func, ast.Attribute) and call.func.attr in _SAME_CONTENT_METHODS
        return name in _NAMESPACES or name in _SAME_CONTENT or (is_method and not call.args)

    def _made_by(self, call: ast.Call) -> ast.ClassDef | None:
        made = self._index.definition(call.func)
        return made if isinstance(made, ast.ClassDef) else None

    # --- looking into each ---

    def _in_dict(self, mapping: ast.Dict, key: str, node: ast.expr, holder: Step, depth: int) -> Step | Unknown:
        for name, value in reversed(list(zip(mapping.keys, mapping.values, strict=True))):
            if name is None:
                inner = self.lookup(value, key, node, holder.context, depth - 1)
                if not isinstance(inner, Missing):
                    return inner
            elif isinstance(name, ast.Constant) and name.value == key:
                return Step(value, f"entry {key!r} of {holder.where or 'a dictionary'}", holder.context)
        return Missing(node, f"{holder.where or 'the dictionary'} has no {key!r}")

    def _in_call(self, call: ast.Call, key: str, node: ast.expr, holder: Step, depth: int) -> Step | Unknown:
        if self._is_parser(call):
            return self._in_parser(key, node)
        made = self._made_by(call)
        if made is not None:
            return self._classes.member(made, key, node, call, holder.context)
        given = passed(call, (), key)
        if isinstance(given, ast.expr):
            return Step(given, f"argument {key} of {self._index.text(call.func)}(...)", holder.context)
        inner = given.mapping if isinstance(given, Spread) else call.args[0] if call.args else None
        if inner is None and isinstance(call.func, ast.Attribute):
            inner = call.func.value
        if inner is None:
            return Missing(node, f"{self._index.text(call.func)}(...) has no {key!r}")
        return self.lookup(inner, key, node, holder.context, depth - 1)

    def _in_parser(self, key: str, node: ast.expr) -> Step | Unknown:
        for call in self._index.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "set_defaults":
                default = passed(call, (), key)
                if isinstance(default, ast.expr):
                    return Step(default, f"argument {key} of set_defaults(...)")
        options = parser_options(self._index, key)
        if len(options) != 1:
            return Unknown(node, f"{len(options)} options of the command line are called {key}")
        default = passed(options[0], (), "default")
        if isinstance(default, ast.expr):
            return Step(default, f"default of {flag_of(options[0])}")
        return Unknown(node, f"{flag_of(options[0])} has no default")

    def _in_hparams(self, myself: ast.Name, key: str, node: ast.expr, holder: Step, depth: int) -> Step | Unknown:
        """What `save_hyperparameters` kept: arguments of `__init__`, or the members of what it was given."""
        owner = self._index.owner(myself)
        init = self._sites.method(owner, "__init__") if owner else None
        if init is None:
            return Unknown(node, "self.hparams of a class without __init__ is not followed")
        for call in self._index.calls:
            is_save = isinstance(call.func, ast.Attribute) and call.func.attr == "save_hyperparameters"
            if not is_save or self._index.function(call) is not init:
                continue
            for given in call.args:
                if not isinstance(given, ast.Constant):
                    return self.lookup(given, key, node, holder.context, depth - 1)
        reference = ast.copy_location(ast.Name(key, ast.Load()), node)
        return self._follower.step(self._index.adopt(reference, init), holder.context)

    def _in_optimizer(self, optimizer: ast.expr, key: str, node: ast.expr, holder: Step) -> Step | Unknown:
        """`optimizer.defaults["lr"]`: what the optimizer was made with."""
        name = self._index.definition(optimizer)
        known = signature(self._index.qualified(name.func) or "") if isinstance(name, ast.Call) else None
        given = passed(name, known.positional, key) if isinstance(name, ast.Call) and known else None
        return Step(given, "", holder.context) if isinstance(given, ast.expr) else Unknown(node, f"{key} is not given")

    def _same_base(self, store: ast.expr, base: ast.expr) -> bool:
        return isinstance(store, ast.Attribute | ast.Subscript) and ast.dump(store.value) == ast.dump(base)
