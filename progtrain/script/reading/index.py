"""A script's syntax tree with its scopes, bindings and calls: the ground that resolving stands on."""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from progtrain.errors import ScriptError
from progtrain.script.reading import syntax

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = ast.Module | ast.ClassDef | FunctionNode | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_SCOPES = (
    ast.ClassDef,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_LIGHTNING = re.compile(r"^(?:lightning\.pytorch|pytorch_lightning|lightning)(?=\.|$)")
_ALIAS_DEPTH = 10
_DEEPEST = 200
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Imported:
    """A name bound by an import; `name` is dotted and absolute."""

    name: str


@dataclass(frozen=True)
class Rebound:
    """A name whose value changes as the script runs: a loop's target, `+=`, `with … as`."""

    line: int


#: What a name can be bound to: a value, a parameter, a definition, an import, or something that changes.
Binding = ast.expr | ast.arg | FunctionNode | ast.ClassDef | Imported | Rebound


class Index:
    """One pass over a script's tree.

    Args:
        source: the script.

    Attributes:
        tree: its abstract syntax tree.
        calls: every call, in the order of the source.
        loads: identifier -> the names, attributes and string subscripts that read it.
        stores: attribute or string key -> assignments to it, as (target, value or None).
        stars: modules imported with `*`, and the line.

    Raises:
        ScriptError: the source is not Python; the message names the line.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = parse(source)
        self.calls: list[ast.Call] = []
        self.loads: dict[str, list[ast.expr]] = defaultdict(list)
        self.stores: dict[str, list[tuple[ast.expr, ast.expr | None]]] = defaultdict(list)
        self.stars: list[tuple[str, int]] = []
        self._parents: dict[ast.AST, ast.AST] = {}
        self._scopes: dict[ast.AST, Scope] = {self.tree: self.tree}
        self._bindings: dict[Scope, dict[str, list[Binding]]] = defaultdict(lambda: defaultdict(list))
        self._globals: dict[Scope, set[str]] = defaultdict(set)
        self._bom = len(source) - len(source.removeprefix("\ufeff"))
        self._line_starts = [0, *(match.end() for match in _NEWLINE.finditer(source))]
        self._visit_children(self.tree, self.tree)
        self.calls.sort(key=lambda call: self.span(call))

    # --- where things are ---

    def span(self, node: ast.expr | ast.keyword | ast.arg) -> tuple[int, int]:
        """Character offsets of an expression in the source, begin and end."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def line(self, number: int) -> str:
        """A line of the source, from 1, without surrounding space."""
        return self.source[self._line_starts[number - 1] : self.line_end(number)].strip()

    def line_end(self, number: int) -> int:
        """Offset of the end of a line, from 1, before its newline."""
        if number >= len(self._line_starts):
            return len(self.source)
        end = self._line_starts[number]
        return end - (2 if self.source[end - 2 : end] == "\r\n" else 1)

    def before_on_line(self, offset: int) -> tuple[str, str]:
        """The white space that the line of an offset begins with, and what else stands before the offset."""
        line = self.source[max(start for start in self._line_starts if start <= offset) : offset]
        return line[: len(line) - len(line.lstrip())], line.strip()

    def text(self, node: ast.expr) -> str:
        """The source of an expression."""
        start, end = self.span(node)
        return self.source[start:end]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold this one, innermost first."""
        here = self._parents.get(node)
        while here is not None:
            yield here
            here = self._parents.get(here)

    def scope(self, node: ast.AST) -> Scope:
        """The innermost scope that this node is evaluated in."""
        return self._scopes[node]

    def function(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function around a node."""
        return next((above for above in self.above(node) if isinstance(above, FunctionNode)), None)

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around a node."""
        return next((above for above in self.above(node) if isinstance(above, ast.ClassDef)), None)

    def adopt(self, node: ast.expr, scope: Scope) -> ast.expr:
        """Give a made-up reference a place to be evaluated in, so that it can be followed."""
        self._scopes[node] = scope
        return node

    # --- what names mean ---

    def bindings(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """The scope that a name is found in from `scope`, and everything bound to it there."""
        here: Scope = scope
        while True:
            visible = here is scope or not isinstance(here, ast.ClassDef)
            if visible and name in self._bindings[here] and name not in self._globals[here]:
                return here, self._bindings[here][name]
            if here is self.tree:
                return None
            here = self._scopes[here]

    def members(self, scope: Scope) -> dict[str, list[Binding]]:
        """What is bound directly in a module, class or function."""
        return self._bindings[scope]

    def definition(self, name: ast.expr) -> Binding | None:
        """What a plain name is bound to, where that is one thing."""
        found = self.bindings(name.id, self.scope(name)) if isinstance(name, ast.Name) else None
        return found[1][0] if found and len(found[1]) == 1 else None

    def qualified(self, node: ast.expr) -> str | None:
        """The dotted name that an expression means by the script's imports; Lightning's three names become one.

        A class of the script's own without an `__init__` goes by the name of its first base class.
        """
        name = self._qualified(node, _ALIAS_DEPTH)
        return _LIGHTNING.sub("lightning", name) if name else None

    def _qualified(self, node: ast.expr, depth: int) -> str | None:
        if isinstance(node, ast.Attribute):
            base = self._qualified(node.value, depth)
            return f"{base}.{node.attr}" if base else None
        found = self.bindings(node.id, self.scope(node)) if isinstance(node, ast.Name) else None
        if found is None or depth == 0:
            return None
        match found[1][0]:
            case Imported(name):
                return name
            case ast.Name() | ast.Attribute() as alias:
                return self._qualified(alias, depth - 1)
            case ast.ClassDef(bases=[first, *_]) as made if "__init__" not in self.members(made):
                return self._qualified(first, depth - 1)
        return None

    # --- the pass ---

    def _visit_children(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            self._parents[child] = node
            self._visit(child, self._scope_of_child(node, child, scope))

    def _scope_of_child(self, node: ast.AST, child: ast.AST, scope: Scope) -> Scope:
        """Decorators and bases are evaluated outside of what they decorate."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            outside: list[ast.AST] = [*node.decorator_list]
            outside += [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else [node.returns or node]
            return self._scopes[node] if child in outside else scope
        return scope

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        self._scopes[node] = scope
        if isinstance(node, ast.Call):
            self.calls.append(node)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load):
            if key := identifier(node):
                self.loads[key].append(node)
        else:
            self._bind_statement(node, scope)
        self._visit_children(node, node if isinstance(node, _SCOPES) else scope)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if default is not None:
                    self._scopes[default] = scope

    def _bind_statement(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Global(names=names):
                self._globals[scope].update(names)
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets if node.value is not None else ():
                    self._bind_target(target, node.value, scope)
            case ast.AugAssign() | ast.For() | ast.AsyncFor() | ast.comprehension():
                self._bind_target(node.target, None, scope)
            case ast.withitem(optional_vars=ast.expr() as target):
                self._bind_target(target, None, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node.name, node, scope)
            case ast.arg():
                self._bind(node.arg, node, scope)
            case ast.Import() | ast.ImportFrom():
                self._bind_imports(node, scope)

    def _bind_imports(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else None
        for alias in node.names:
            if alias.name == "*":
                self.stars.append((module or "", node.lineno))
            elif module is not None:
                self._bind(alias.asname or alias.name, Imported(f"{module}.{alias.name}"), scope)
            else:
                top = alias.name.partition(".")[0]
                self._bind(alias.asname or top, Imported(alias.name if alias.asname else top), scope)

    def _bind_target(self, target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, Rebound(target.lineno) if value is None else value, scope)
            case ast.Attribute() | ast.Subscript():
                self.stores[identifier(target)].append((target, value))
            case ast.Starred(value=inner):
                self._bind_target(inner, None, scope)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for position, part in enumerate(targets):
                    self._bind_target(part, None if value is None else self._element(value, position, scope), scope)

    def _element(self, value: ast.expr, position: int, scope: Scope) -> ast.expr:
        if isinstance(value, ast.Tuple | ast.List) and position < len(value.elts):
            return value.elts[position]
        return self.adopt(ast.copy_location(ast.Subscript(value, ast.Constant(position), ast.Load()), value), scope)

    def _bind(self, name: str, binding: Binding, scope: Scope) -> None:
        home = self.tree if name in self._globals[scope] else scope
        self._bindings[home][name].append(binding)

    def _offset(self, line: int, column: int) -> int:
        """Syntax trees count columns in UTF-8 bytes."""
        start = self._line_starts[line - 1] + (self._bom if line == 1 else 0)
        ahead = self.source[start : start + column]
        return start + (column if ahead.isascii() else len(ahead.encode()[:column].decode()))


def parse(source: str) -> ast.Module:
    """The syntax tree of a script.

    Raises:
        ScriptError: the source is not Python, or nested too deeply to be walked; the message names the line.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a script's own "\d" is no business of ours
            tree = syntax.parse(source.removeprefix("\ufeff"))
    except SyntaxError as error:
        raise ScriptError(
            f"Expected a Python script, got a syntax error in line {error.lineno}: {error.msg}. Mend that line."
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        said = str(error) or type(error).__name__
        raise ScriptError(f"Expected a Python script; this one cannot be parsed: {said}. Mend the file.") from error
    _refuse_depth(tree)
    return tree


def _refuse_depth(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in ast.iter_child_nodes(each)]
    if level:
        line = next((f"line {each.lineno}" for each in level if isinstance(each, ast.expr | ast.stmt)), "one place")
        raise ScriptError(
            f"Expected a script nested at most {_DEEPEST} deep (a sum of as many terms is), got more in {line}. "
            "Split it into several statements."
        )


def identifier(node: ast.expr) -> str:
    """The last name of a reference: `lr` of `lr`, `args.lr` and `config["lr"]`; empty where there is none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""
