"""Where every knob of a training script stands in its source, and what that place also feeds."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from progtrain.script.reading.following import Missing, Unknown
from progtrain.script.reading.index import Index, identifier
from progtrain.script.reading.resolve import Origin, Resolver
from progtrain.script.reading.sites import Sites
from progtrain.script.reading.uses import Choice, Use, Uses

#: Character offsets, begin and end.
Span = tuple[int, int]

_WORDS = frozenset({"precision", "monitor"})
_OUTER_SIZE = "the network's input or output size"
_IS_CHOICE = "it is a class or function, not a value: an action of its own swaps it"


@dataclass(frozen=True)
class Knob:
    """One place that sets a knob: the literal its value comes from, however far from its use.

    Args:
        name: canonical, of `progtrain.knobs.FAMILY`.
        value: of the literal; None where it is not known.
        start: character offset in the source where the literal begins.
        end: character offset just after it.
        line: of the literal, from 1.
        code: that source line, stripped.
        where: for people: "module constant LR", "default of --lr", "argument lr of SGD(...)".
        shared: other knobs, and other uses ("use in line 40"), that the same literal feeds.
        why_not: the reason it may not be set; None where it may.
        computed_from: offsets (`start`) of other places of the same knob that it is computed from, and follows.
    """

    name: str
    value: JsonValue
    start: int
    end: int
    line: int
    code: str
    where: str
    shared: tuple[str, ...] = ()
    why_not: str | None = None
    computed_from: tuple[int, ...] = ()


@dataclass(frozen=True)
class Anatomy:
    """A script as far as it is understood.

    Args:
        source: the script.
        knobs: the main occurrence of every knob found.
        occurrences: all of them, in the order of the source.
        constants: module-level constants whose value is a literal.
        refusals: what is not understood, in words.
    """

    source: str
    knobs: Mapping[str, Knob]
    occurrences: tuple[Knob, ...]
    constants: Mapping[str, JsonValue]
    refusals: tuple[str, ...]


def read_anatomy(source: str) -> Anatomy:
    """Find every knob of a script and follow it to the literal it comes from.

    Args:
        source: a training script.

    Raises:
        ScriptError: the source is not Python.
    """
    reading = _Reading(source)
    knobs = reading.knobs()
    main: dict[str, Knob] = {}
    for knob in sorted(knobs, key=lambda knob: bool(knob.computed_from)):
        main.setdefault(knob.name, knob)
    return Anatomy(
        source=source,
        knobs=main,
        occurrences=tuple(sorted(knobs, key=lambda knob: (knob.start, knob.name))),
        constants=reading.constants(),
        refusals=tuple(reading.refusals()),
    )


@dataclass
class _Place:
    """Where a knob's value comes from; grows as further uses of the knob lead to the same literal."""

    knob: str
    node: ast.expr
    span: Span
    value: JsonValue
    where: str
    leaves: frozenset[Span] = frozenset()
    trail: list[ast.expr] = field(default_factory=list)
    why_not: str | None = None


class _Reading:
    """One script being read."""

    def __init__(self, source: str) -> None:
        self._index = Index(source)
        sites = Sites(self._index)
        self._resolver = Resolver(self._index, sites)
        self._uses = Uses(self._index, sites)
        self._places = self._gathered()
        self._at: dict[Span, list[_Place]] = defaultdict(list)
        self._fed: dict[Span, list[_Place]] = defaultdict(list)
        for place in self._places:
            self._at[place.span].append(place)
            for leaf in place.leaves:
                self._fed[leaf].append(place)
        self._followed = {reference for place in self._places for reference in place.trail}

    def knobs(self) -> list[Knob]:
        """Every occurrence of every knob, in the order in which their uses stand in the source."""
        return [self._knob(place) for place in self._places if place.knob != _OUTER_SIZE]

    def _knob(self, place: _Place) -> Knob:
        others = sorted({other.knob for other in self._fed[place.span] if other.knob != place.knob})
        same = {other.span[0] for leaf in place.leaves for other in self._at[leaf] if other.knob == place.knob}
        why_not = place.why_not
        if others and why_not is None:
            why_not = f"the same place also sets {', '.join(others)}"
        return Knob(
            name=place.knob,
            value=place.value,
            start=place.span[0],
            end=place.span[1],
            line=place.node.lineno,
            code=self._index.line(place.node.lineno),
            where=place.where,
            shared=(*others, *(f"use in line {line}" for line in self._other_uses(place))),
            why_not=why_not,
            computed_from=tuple(sorted(same - {place.span[0]})),
        )

    def constants(self) -> dict[str, JsonValue]:
        """Module-level names that are bound once, to a literal."""
        literals: dict[str, JsonValue] = {}
        for name, bindings in self._index.members(self._index.tree).items():
            if len(bindings) != 1 or not isinstance(bindings[0], ast.expr):
                continue
            try:
                literals[name] = _as_json(ast.literal_eval(bindings[0]))
            except (ValueError, TypeError):
                continue
        return literals

    def refusals(self) -> Iterator[str]:
        """What of the script no edit may count on."""
        for target, value in self._index.stores["automatic_optimization"]:
            if isinstance(value, ast.Constant) and value.value is False:
                yield f"it optimizes by hand (automatic_optimization = False, line {target.lineno})"
        optimizers = [choice.function.lineno for choice in self._uses.choices() if choice.knob == "optimizer"]
        if len(optimizers) > 1:
            yield f"it makes several optimizers (lines {', '.join(map(str, optimizers))})"
        for module, line in self._index.stars:
            yield f"it imports * from {module} (line {line}); names from there are not followed"

    # --- gathering ---

    def _gathered(self) -> list[_Place]:
        """A place for every knob and literal."""
        found: dict[tuple[str, Span], _Place] = {}
        for place in self._each():
            known = found.setdefault((place.knob, place.span), place)
            known.trail += place.trail if known is not place else []
        return list(found.values())

    def _each(self) -> Iterator[_Place]:
        for use in self._uses.values():
            yield from self._places_of(use)
        sizes = [*self._uses.sizes()]
        made = {place.span for use, _ in sizes for place in self._places_of(use) if place.why_not is None}
        for use, is_outer in sizes:
            if self._runs_along(use, made):
                continue
            for place in self._places_of(use):
                if is_outer:
                    place.knob = _OUTER_SIZE
                yield place
        for choice in self._uses.choices():
            yield self._chosen(choice)

    def _runs_along(self, use: Use, made: set[Span]) -> bool:
        """Whether a size is a variable that takes on, layer by layer, what was made: `width = HIDDEN` in a loop.

        It follows the places of those sizes, and sets nothing by itself.
        """
        found = None
        if isinstance(use.value, ast.Name):
            found = self._index.bindings(use.value.id, self._index.scope(use.value))
        if found is None or len(found[1]) < 2:
            return False
        origins = (self._resolver.trace(value) for value in found[1] if isinstance(value, ast.expr))
        return any(isinstance(origin, Origin) and self._index.span(origin.node) in made for origin in origins)

    def _places_of(self, use: Use) -> Iterator[_Place]:
        origin = self._resolver.trace(use.value, use.where, use.context)
        if isinstance(origin, Missing):  # `**options` that have no such entry
            return
        if isinstance(origin, Unknown):
            span = self._index.span(origin.node)
            yield _Place(use.knob, origin.node, span, None, use.where, why_not=origin.reason)
        else:
            leaves = frozenset(self._index.span(leaf) for leaf in origin.leaves)
            value = origin.value if use.knob in _WORDS else _number_in(origin.value)
            span = self._index.span(origin.node)
            yield _Place(use.knob, origin.node, span, value, origin.where, leaves, list(origin.trail))

    def _chosen(self, choice: Choice) -> _Place:
        span = self._index.span(choice.function)
        where = f"{choice.name}(...)"
        return _Place(choice.knob, choice.function, span, choice.name, where, why_not=_IS_CHOICE)

    def _other_uses(self, place: _Place) -> list[int]:
        """Lines that read the same literal and set no knob with it."""
        names = {name for reference in place.trail if (name := identifier(reference))}
        lines = set()
        for reference in (each for name in names for each in self._index.loads[name] if each not in self._followed):
            origin = self._resolver.trace(reference)
            reached = (origin.node, *origin.leaves) if isinstance(origin, Origin) else ()
            if place.span in {self._index.span(literal) for literal in reached}:
                lines.add(reference.lineno)
        return sorted(lines)


def _number_in(value: JsonValue) -> JsonValue:
    """Options of the command line and environment variables may hold numbers as text."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if any(sign in value for sign in ".eE") else int(value)
    except ValueError:
        return value


def _as_json(value: object) -> JsonValue:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_as_json(item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {str(key): _as_json(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} is not JSON")
