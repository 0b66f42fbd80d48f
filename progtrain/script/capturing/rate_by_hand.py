"""Where a script sets its optimizer's rate itself while it trains, in place of a scheduler that Lightning steps."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from torch.optim.lr_scheduler import LRScheduler

_HOOKS: Final = (
    *("optimizer_step", "training_step", "lr_scheduler_step", "on_before_optimizer_step", "on_before_zero_grad"),
    *("on_train_batch_start", "on_train_batch_end", "on_train_epoch_start", "on_train_epoch_end"),
    *("on_validation_epoch_end", "on_validation_end", "backward", "configure_gradient_clipping"),
)
_LIBRARIES: Final = frozenset({"lightning", "pytorch_lightning", "mlflow", "torch"})


def rate_by_hand(trainer: Any) -> str | None:
    """What sets the rate while it trains, in words; None where nothing of the script does.

    Args:
        trainer: to which model and data are attached, and which has its optimizers.
    """
    for owner in (trainer.lightning_module, *trainer.callbacks):
        for hook in _HOOKS:
            found = _setting(owner, hook)
            if found is not None:
                return found
    return _stepped_by_itself(trainer)


def _setting(owner: Any, hook: str) -> str | None:
    """The hook, or a method of the same class that it calls, where it assigns to a group's rate."""
    for name in (hook, *_called(getattr(type(owner), hook, None))):
        parsed = _parsed(getattr(type(owner), name, None))
        if parsed is not None and (line := next(_assignments(parsed), None)) is not None:
            place = name if name == hook else f"{name}, which {hook} calls,"
            return f"{place} sets the rate in line {line}"
    return None


def _called(function: Any) -> tuple[str, ...]:
    parsed = _parsed(function)
    if parsed is None:
        return ()
    calls = (node.func for node in ast.walk(parsed) if isinstance(node, ast.Call))
    return tuple(each.attr for each in calls if isinstance(each, ast.Attribute) and ast.unparse(each.value) == "self")


def _parsed(function: Any) -> ast.AST | None:
    """A function of the script's own, with the lines of its file."""
    if getattr(function, "__module__", "").partition(".")[0] in _LIBRARIES or not inspect.isfunction(function):
        return None
    try:
        lines, first = inspect.getsourcelines(function)
        return ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))), first - 1)
    except (OSError, SyntaxError, TypeError):
        return None


def _assignments(tree: ast.AST) -> Iterator[int]:
    """Lines in which `group["lr"]` of an optimizer's groups is assigned to."""
    groups = {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and "param_groups" in ast.unparse(node.iter)
    }
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if (
                isinstance(target, ast.Subscript)
                and isinstance(target.slice, ast.Constant)
                and target.slice.value == "lr"
            ):
                of = ast.unparse(target.value)
                if of in groups or "param_groups" in of:
                    yield target.lineno


def _stepped_by_itself(trainer: Any) -> str | None:
    """A scheduler that the module keeps, and that Lightning was not given: the script steps it, if anything does."""
    model = trainer.lightning_module
    given = {id(config.scheduler) for config in trainer.lr_scheduler_configs}
    for name, value in vars(model).items():
        kept = isinstance(value, LRScheduler) or (hasattr(value, "step") and hasattr(value, "optimizer"))
        if kept and id(value) not in given:
            for hook in _HOOKS:
                parsed = _parsed(getattr(type(model), hook, None))
                if parsed is not None and f"self.{name}.step(" in ast.unparse(parsed):
                    return f"{hook} steps {type(value).__name__} by itself"
    return None
