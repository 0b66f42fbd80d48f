"""What a step computes, operation by operation, from the parts of its batch to the values that it logs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

#: Give the same numbers at another place or in another memory.
_SAME: Final = frozenset({"detach", "cpu", "cuda", "contiguous", "requires_grad_", "clone", "detach_", "alias"})
#: Keys, attributes and positions that lead from a batch or a result to one of its parts.
Path = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Made:
    """A tensor as an operation made it.

    Args:
        number: of the operation.
        path: to the tensor in its result.
    """

    number: int
    path: Path


@dataclass(frozen=True)
class Operation:
    """One outermost call: of a torch function, or of a module as a whole.

    Args:
        number: from 0, in order.
        function: the torch function, the module, or None for the model's own `forward`.
        args: positional arguments; tensors stand as `Made` where an operation made them.
        kwargs: the others, likewise.
        result: what it returned.
        given: the arguments as they were.
    """

    number: int
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any
    given: Any

    @property
    def name(self) -> str:
        """Of the torch function; empty for a module."""
        return getattr(self.function, "__name__", "") if not isinstance(self.function, nn.Module) else ""

    def made(self) -> Iterator[Made]:
        """The tensors among its arguments that operations made."""
        return (leaf for leaf in leaves_of((self.args, self.kwargs)) if isinstance(leaf, Made))


class Tracer(TorchFunctionMode):
    """Records the operations of a step.

    A module is one operation, but for loss modules and those that are to be looked into, of which the inner operations
    are recorded.

    Args:
        model: the LightningModule whose step is traced.
        open_modules: modules that are looked into; the model itself stands for its `forward`.
    """

    def __init__(self, model: nn.Module, open_modules: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.logged: dict[str, Any] = {}
        self._model, self._open = model, open_modules
        self._made: dict[int, Made] = {}
        self._numbers: dict[int, Tensor] = {}
        """Plain numbers by their id, and the tensor that each was taken out of."""
        self._alive: list[Any] = []
        """Objects known by their id, which stays theirs as long as they are held."""
        self._inside = 0

    def origin(self, tensor: Any) -> Made | None:
        """Which operation made a tensor; None for one that was there before."""
        return self._made.get(id(tensor))

    @contextmanager
    def recording(self) -> Iterator[Tracer]:
        """Record what happens within."""
        with ExitStack() as stack:
            stack.enter_context(_calls_replaced(self._module_called))
            stack.enter_context(_attribute(self._model, "log", self._log))
            stack.enter_context(_attribute(self._model, "log_dict", self._log_dict))
            for module in self._model.modules():
                if type(module).__module__.startswith("torchmetrics."):
                    stack.enter_context(_attribute(module, "update", self._updating(module)))
            if not type(self._model).forward.__module__.startswith(("torch.", "lightning.", "pytorch_lightning.")):
                stack.enter_context(_attribute(self._model, "forward", self._forward(self._model.forward)))
            stack.enter_context(self)
            yield self

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if self._inside:
            return func(*args, **given)
        held = self._held((tuple(args), given))
        self._alive.append(args)
        result = func(*args, **given)
        self._record(func, held, (args, given), result)
        return result

    def _record(self, func: Any, held: Any, given: Any, result: Any) -> None:
        args: Sequence[Any] = given[0]
        name = getattr(func, "__name__", "")
        if name == "__setitem__":
            result = args[0]
        tensors = [leaf for leaf in leaves_of(result) if isinstance(leaf, Tensor)]
        first = args[0] if args else None
        if isinstance(result, float) and isinstance(first, Tensor):
            self._numbers[id(result)] = first
            self._alive.append(result)
        if not tensors:
            return
        moves = name == "to" and isinstance(first, Tensor) and first.dtype == tensors[0].dtype
        if isinstance(first, Tensor) and (name in _SAME or moves):
            if id(first) in self._made:
                self._made[id(result)] = self._made[id(first)]
                self._alive.append(result)
                return
            if result is first:
                return
        self._note(func, held, given, result)

    def _note(self, function: Any, held: Any, given: Any, result: Any) -> None:
        number = len(self.operations)
        args, kwargs = held
        self.operations.append(Operation(number, function, args, kwargs, result, given))
        for path, leaf in paths_of(result):
            if isinstance(leaf, Tensor):
                self._made[id(leaf)] = Made(number, path)

    def _held(self, given: Any) -> Any:
        """The arguments, with what operations made in the tensors' place."""
        return _mapped(given, lambda leaf: self._made.get(id(leaf), leaf) if isinstance(leaf, Tensor) else leaf)

    def _module_called(self, call: Callable[..., Any], module: nn.Module, args: Any, kwargs: Any) -> Any:
        if module is self._model or self._inside or self._is_open(module, (args, kwargs)):
            return call(module, *args, **kwargs)
        return self._as_one(module, lambda: call(module, *args, **kwargs), (args, kwargs))

    def _is_open(self, module: nn.Module, given: Any) -> bool:
        """Whether a module is looked into: a loss, be it of torch or of the script's own, is what is looked for."""
        package = type(module).__module__
        if id(module) in self._open or package == "torch.nn.modules.loss":
            return True
        if package.startswith(("torch.", "torchmetrics.")) or next(module.parameters(), None) is not None:
            return False
        made = [id(leaf) in self._made for leaf in leaves_of(given) if isinstance(leaf, Tensor)]
        return any(made) and not all(made)

    def _forward(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def forward(*args: Any, **kwargs: Any) -> Any:
            if self._inside or id(self._model) in self._open:
                return own(*args, **kwargs)
            return self._as_one(None, lambda: own(*args, **kwargs), (args, kwargs))

        return forward

    def _updating(self, metric: Any) -> Callable[..., Any]:
        """A metric object's `update` as one operation, which gives what it was given."""
        own = metric.update

        def update(*args: Any, **kwargs: Any) -> Any:
            if not self._inside:
                self._note(metric, self._held((args, kwargs)), (args, kwargs), None)
                self._inside += 1
                try:
                    return own(*args, **kwargs)
                finally:
                    self._inside -= 1
            return own(*args, **kwargs)

        return update

    def _as_one(self, function: Any, run: Callable[[], Any], given: Any) -> Any:
        held = self._held(given)
        self._inside += 1
        try:
            result = run()
        finally:
            self._inside -= 1
        self._note(function, held, given, result)
        return result

    def _log(self, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        self._log_dict({name: value})

    def _log_dict(self, dictionary: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        self.logged |= {name: self._numbers.get(id(value), value) for name, value in dictionary.items()}


def paths_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every part of a batch, of a result or of arguments that is no container, with the way to it."""
    parts = _parts(value)
    if parts is None:
        yield path, value
        return
    for step, entry in parts:
        yield from paths_of(entry, (*path, step))


def _parts(value: Any) -> list[tuple[tuple[str, Any], Any]] | None:
    """What a container holds, with the step to each; None for what is no container."""
    if isinstance(value, Made | Tensor | nn.Module | type):
        return None
    if isinstance(value, Mapping):
        return [(("key", key), entry) for key, entry in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(("attribute", name), getattr(value, name)) for name in value._fields]
    if isinstance(value, list | tuple):
        return [(("key", position), entry) for position, entry in enumerate(value)]
    if dataclasses.is_dataclass(value):
        return [(("attribute", field.name), getattr(value, field.name)) for field in dataclasses.fields(value)]
    held = {} if callable(value) else getattr(value, "__dict__", {})
    tensors = [(("attribute", name), entry) for name, entry in held.items() if isinstance(entry, Tensor)]
    return tensors or None


def leaves_of(value: Any) -> Iterator[Any]:
    """The parts alone."""
    return (leaf for _, leaf in paths_of(value))


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Containers of Python anew, with every part replaced; anything else as it is."""
    if isinstance(value, dict):
        return {key: _mapped(entry, function) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(entry, function) for entry in value)
    return function(value)


@contextmanager
def _attribute(instance: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute of one object replaced for a while."""
    held = vars(instance).get(name)
    object.__setattr__(instance, name, value)
    try:
        yield
    finally:
        object.__delattr__(instance, name)
        if held is not None:
            object.__setattr__(instance, name, held)


@contextmanager
def _calls_replaced(called: Callable[..., Any]) -> Iterator[None]:
    """Hear of every call of a module; hooks do not see the keyword arguments of all of them."""
    before = nn.Module.__call__

    def instead(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return called(before, module, args, kwargs)

    nn.Module.__call__ = instead  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__call__ = before  # type: ignore[method-assign]
