"""The script writes into a folder that nobody has made."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.editing.edit import add_import
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_PATH = re.compile(
    r"Parent directory (?P<a>\S+) does not exist|No such file or directory: '(?P<b>[^']+)'"
    r"|non-existent directory: '?(?P<c>[^'\n]+)"
)
_WRITES = re.compile(r"[wax]b?\+?|[wax]t?")


class FolderMissing(Repair):
    """Make the folder before the first statement that writes there."""

    signs = _PATH
    cause = "the script writes into a folder that is not there"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        found = _PATH.search(failure.text)
        assert found is not None
        folder = found["a"] or str(PurePosixPath(found["b"] or found["c"]).parent)
        if PurePosixPath(folder).is_absolute() or folder in ("", "."):
            raise EditError(f"Expected a folder of the workspace, got {folder}.")
        script = ParsedScript(source)
        statement = _writing(script, failure.text)
        script.expect_own_line(statement)
        start = script.start(statement)
        line = f'os.makedirs("{folder}", exist_ok=True)\n{script.indentation(start)}'
        after = rebuild(source, [Edit(start, start, line)])
        return add_import(after, "os"), f"{folder} is made before it is written to"


def _writing(script: ParsedScript, text: str) -> ast.stmt:
    """The statement of the script that failed, if it writes: data that is not there is no folder to be made."""
    lines = re.findall(r"in line (\d+)|line (\d+),? (?:in|of)", text)
    numbers = [int(one or other) for one, other in lines]
    statements = [
        node
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Expr | ast.Assign | ast.With)
        and any(node.lineno <= number <= (node.end_lineno or 0) for number in numbers)
    ]
    for statement in sorted(statements, key=lambda each: -each.lineno):
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and _writes(script, call):
                return statement
    raise EditError("Expected a statement of the script that writes there, found none.")


def _writes(script: ParsedScript, call: ast.Call) -> bool:
    name = script.called(call) or ast.unparse(call.func)
    if name.rpartition(".")[2] in ("open", "write_text", "write_bytes"):
        modes = [
            each.value for each in (*call.args, *(k.value for k in call.keywords)) if isinstance(each, ast.Constant)
        ]
        return "write" in name or any(isinstance(mode, str) and _WRITES.fullmatch(mode) for mode in modes)
    return name.rpartition(".")[2] in ("save", "savez", "savez_compressed", "savefig", "to_csv", "savetxt", "to_json")
