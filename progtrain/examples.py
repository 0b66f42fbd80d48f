"""The workspaces that come with the project: `progtrain new NAME PATH` makes one of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from progtrain.errors import WorkspaceError
from progtrain.rules import INSTRUCTION_FILE, RULES_FILE

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_BUILDER = "build.py"
_EXTERNAL = Path("Models") / "external"


def names() -> tuple[str, ...]:
    """The examples that can be made: every folder of examples/ that builds its own data."""
    return tuple(sorted(path.parent.name for path in _EXAMPLES.glob(f"*/{_BUILDER}")))


def create(name: str, target: Path) -> None:
    """Make a workspace: the example's scripts, rules and external models, and its prepared data built afresh.

    Args:
        name: one of `names()`.
        target: a folder that is empty or not there yet.

    Raises:
        WorkspaceError: no such example, `target` is not empty, or the data cannot be built.
    """
    if name not in names():
        raise WorkspaceError(
            f"Expected one of the examples {', '.join(names()) or '(none: examples/ is missing)'}, got {name!r}."
        )
    target = target.expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WorkspaceError(f"Expected an empty or new folder, got {target}, which has content. Choose another path.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"Expected a place for a folder, got {target}: {error.strerror}. Choose another."
        raise WorkspaceError(reason) from error
    # Built beside the target and renamed: a workspace is there whole or not at all.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        made = Path(beside) / "workspace"
        made.mkdir()
        _build_data(_EXAMPLES / name / _BUILDER, made)
        for path in _EXAMPLES.joinpath(name).glob("02_train_*.py"):
            shutil.copyfile(path, made / path.name)
        for file in (RULES_FILE, INSTRUCTION_FILE):
            if (_EXAMPLES / name / file).is_file():
                shutil.copyfile(_EXAMPLES / name / file, made / file)
        if (_EXAMPLES / name / _EXTERNAL).is_dir():
            shutil.copytree(_EXAMPLES / name / _EXTERNAL, made / _EXTERNAL)
        made.rename(target)


def _build_data(builder: Path, target: Path) -> None:
    done = subprocess.run([sys.executable, str(builder), str(target)], capture_output=True, text=True)
    if done.returncode != 0:
        last_line = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WorkspaceError(
            f"{builder} could not build the example's data: {last_line}. "
            "Examples need their extra: pip install -e '.[examples]'."
        )
