"""LightningCLI scripts: where one trains inside its constructor, and what it needs to be run without arguments."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from progtrain.script.auditing.calls import add_keywords, calls_of, hides_arguments, subclasses
from progtrain.script.auditing.issues import AuditFacts, Checked, Issue
from progtrain.script.auditing.sites import MODEL_CLASS, TRAINER, Site, definition, fit_calls, fit_statements
from progtrain.script.reading.structure import Edit, ParsedScript, argument

_ARGS, _RUN = 11, 12
_CLASS = "TrainingCLI"


@dataclass(frozen=True)
class CommandLine(Site):
    """`LightningCLI(...)` that calls fit itself: lines are run in its hooks `before_fit` and `after_fit`.

    Args:
        call: that makes it.
    """

    call: ast.Call

    @property
    def line(self) -> int:
        """See Site."""
        return self.call.lineno

    def define(self, function: str) -> Edit:
        """See Site."""
        own = self._own_class()
        return definition(self.script, self.call if own is None else own, function)

    def edits(self, before: Sequence[str], after: Sequence[str]) -> tuple[Edit, ...]:
        """See Site."""
        hooks = {"before_fit": self._lines(before), "after_fit": self._lines(after)}
        hooks = {hook: lines for hook, lines in hooks.items() if lines}
        own = self._own_class()
        if own is not None:
            there = [each.name for each in own.body if isinstance(each, ast.FunctionDef)]
            order = sorted(hooks, key=lambda hook: hook not in there)  # a new one follows the class's last line
            return tuple(_in_hook(self.script, own, hook, hooks[hook]) for hook in order)
        if not hooks:
            return ()
        methods = "\n\n".join(_method(hook, lines, "    ") for hook, lines in hooks.items())
        made = definition(self.script, self.call, f"class {_CLASS}({self._name()}):\n{methods}")
        return made, self.script.replace(self.call.func, _CLASS)

    def _own_class(self) -> ast.ClassDef | None:
        return next((each for each in subclasses(self.script, "LightningCLI") if each.name == self._name()), None)

    def _name(self) -> str:
        return self.script.text(self.call.func)

    def _lines(self, lines: Sequence[str]) -> list[str]:
        written = (line.replace(MODEL_CLASS, "type(self.model).__name__") for line in lines)
        return [line.replace(TRAINER, "self.trainer") for line in written]


def training_sites(script: ParsedScript) -> tuple[Site, ...]:
    """Where the script trains; empty where that cannot be seen, or no line can be put there."""
    fits = fit_statements(script)
    commands = [call for call in calls_of(script, "LightningCLI") if not _is_not_run(call)]
    return (CommandLine(script, commands[0]),) if len(commands) == 1 and not fits else fits


def why_no_site(script: ParsedScript) -> tuple[int | None, str]:
    """The line to be changed, and how, where `training_sites` found none."""
    calls = [*fit_calls(script), *calls_of(script, "LightningCLI")]
    if not calls:
        return None, "call trainer.fit(...) in this script, as a statement of its own; then it is added"
    return calls[0].lineno, "make the training in this line a statement of its own, as trainer.fit(model, datamodule)"


def check_arguments(script: ParsedScript, facts: AuditFacts) -> Checked:
    """A LightningCLI that takes its arguments from the command line alone trains nothing when it is given none."""
    commands = calls_of(script, "LightningCLI")
    if len(commands) != 1 or hides_arguments(commands[0]):
        return Checked()
    [call] = commands
    given = argument(call, _ARGS, "args")
    wanted = [] if _is_not_run(call) else ["fit"]
    if len(facts.configurations) == 1 and ".yaml" not in script.source and ".yml" not in script.source:
        wanted += ["--config", facts.configurations[0]]
    taken = given is None or isinstance(given, ast.Name) or (isinstance(given, ast.Constant) and given.value is None)
    if not wanted or not taken or "sys.argv" in script.source:
        return Checked()
    listed = "[" + ", ".join(f'"{each}"' for each in wanted) + "]"
    message = "expected LightningCLI to train when the script is run without arguments, found none that it would take"
    issue = Issue(message, call.lineno, f"args={listed} where the command line has none", needed=True)
    text = f"sys.argv[1:] or {listed}"
    if given is None:
        return Checked((issue,), add_keywords(script, call, [f"args={text}"]), ("sys",))
    name = f"{given.id} or " if isinstance(given, ast.Name) and _is_none_by_default(script, call, given.id) else ""
    if isinstance(given, ast.Name) and not name:
        return Checked()
    return Checked((issue,), (script.replace(given, f"{name}{text}"),), ("sys",))


def _is_not_run(call: ast.Call) -> bool:
    given = argument(call, _RUN, "run")
    return isinstance(given, ast.Constant) and given.value is False


def _is_none_by_default(script: ParsedScript, call: ast.Call, name: str) -> bool:
    """Whether a name is a parameter of the function around the call, None where it is not given."""
    around = script.within(call, ast.FunctionDef)
    if not isinstance(around, ast.FunctionDef) or not around.args.defaults:
        return False
    names = [each.arg for each in around.args.args][-len(around.args.defaults) :]
    defaults = dict(zip(names, around.args.defaults, strict=True))
    return isinstance(defaults.get(name), ast.Constant) and defaults[name].value is None  # type: ignore[attr-defined]


def _in_hook(script: ParsedScript, owner: ast.ClassDef, hook: str, lines: list[str]) -> Edit:
    """Lines at the end of a hook that the class has, or a hook more at the end of the class."""
    there = next((each for each in owner.body if isinstance(each, ast.FunctionDef) and each.name == hook), None)
    if there is None:
        end = script.line_end(script.end(owner.body[-1]))
        indentation = script.indentation(script.start(owner.body[0]))
        return Edit(end, end, f"\n\n{_method(hook, lines, indentation)}")
    last = there.body[-1]
    start = script.start(last)
    indentation = script.indentation(start)
    if isinstance(last, ast.Return):
        return Edit(start, start, "".join(f"{line}\n{indentation}" for line in lines))
    end = script.line_end(script.end(last))
    return Edit(end, end, "".join(f"\n{indentation}{line}" for line in lines))


def _method(hook: str, lines: list[str], indentation: str) -> str:
    body = "".join(f"\n{indentation * 2}{line}" for line in lines)
    return f"{indentation}def {hook}(self):{body}"
