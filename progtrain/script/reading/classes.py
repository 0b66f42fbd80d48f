"""What a member of an instance stands for: assigned in a method, a field, or inherited."""

from __future__ import annotations

import ast

from progtrain.script.reading.following import Context, Follower, Missing, Step, Unknown, Wanted
from progtrain.script.reading.index import Index
from progtrain.script.reading.sites import Sites, passed


class Classes:
    """Looks members up in instances of a script's own classes.

    Args:
        index: of the script.
        sites: of the same.
        follower: follows what instantiations pass.
    """

    def __init__(self, index: Index, sites: Sites, follower: Follower) -> None:
        self._index = index
        self._sites = sites
        self._follower = follower

    def member(
        self, made: ast.ClassDef, key: str, node: ast.expr, call: ast.Call | None, context: Context
    ) -> Step | Unknown:
        """The expression behind a member of an instance.

        Args:
            made: its class.
            key: the member's name.
            node: the reference to it.
            call: the instantiation, where it is known which; None for `self`.
            context: of the reference.
        """
        init = self._sites.method(made, "__init__")
        assigned = self.assignments(made, key)
        if len(assigned) > 1:
            lines = ", ".join(str(store.lineno) for store, _ in assigned)
            return Unknown(node, f"self.{key} of {made.name} is assigned several times (lines {lines})")
        if assigned:
            value = assigned[0][1]
            if value is None:
                return Unknown(node, f"self.{key} changes in line {assigned[0][0].lineno}")
            inside = {**context, init: call} if init is not None and call is not None else context
            return Step(value, f"self.{key} of {made.name}", inside)
        if init is None and key in self._fields(made):
            return self._in_fields(made, key, node, [call] if call else self._sites.of(made), context)
        default = self._class_attribute(made, key)
        if default is not None:
            return Step(default, f"field {key} of {made.name}", context)
        for base in self._sites.bases(made):
            inherited = self.member(base, key, node, call, context)
            if not isinstance(inherited, Missing):
                return inherited
        return Missing(node, f"{made.name} has no {key}")

    def _in_fields(
        self, made: ast.ClassDef, key: str, node: ast.expr, calls: list[ast.Call], context: Context
    ) -> Step | Unknown:
        """A field of a class whose `__init__` is generated: what instantiations pass, else its default."""
        fields = self._fields(made)
        default = fields[key]
        default_step = None if default is None else Step(default, f"field {key} of {made.name}", context)
        given = [passed(call, list(fields), key) for call in calls]
        return self._follower.supplied(given, default_step, node, Wanted(key, made.name, context))

    def _fields(self, made: ast.ClassDef) -> dict[str, ast.expr | None]:
        inherited: dict[str, ast.expr | None] = {}
        for base in self._sites.bases(made):
            inherited |= self._fields(base)
        own = {
            statement.target.id: statement.value
            for statement in made.body
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        }
        return inherited | own

    def _class_attribute(self, made: ast.ClassDef, key: str) -> ast.expr | None:
        bound = self._index.members(made).get(key, [])
        return bound[0] if len(bound) == 1 and isinstance(bound[0], ast.expr) else None

    def assignments(self, made: ast.ClassDef, key: str) -> list[tuple[ast.expr, ast.expr | None]]:
        """The assignments to `self.key` in a class, as (target, value or None)."""
        return [
            (store, value)
            for store, value in self._index.stores[key]
            if isinstance(store, ast.Attribute) and is_self(store.value) and self._index.owner(store) is made
        ]


def is_self(node: ast.expr) -> bool:
    """Whether an expression is the instance, or class, that a method is called on."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
