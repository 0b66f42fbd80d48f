"""A script with the modules beside it that it imports, copied to where neither has its workspace."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from progtrain.script.reading.syntax import parse


def copy_sources(script: Path, folder: Path) -> None:
    """Copy a script into `folder`, and the modules and packages of its own folder that it imports, directly or not."""
    shutil.copyfile(script, folder / script.name)
    open_files, home = [script], script.parent
    while open_files:
        for name in _imported(open_files.pop()):
            package, module = home / name, home / f"{name}.py"
            if (folder / name).exists() or (folder / module.name).exists():
                continue
            if package.is_dir() and any(package.glob("*.py")):
                shutil.copytree(package, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
                open_files.extend(package.rglob("*.py"))
            elif module.is_file():
                shutil.copyfile(module, folder / module.name)
                open_files.append(module)


def _imported(path: Path) -> Iterator[str]:
    """The top-level names of what a file imports."""
    for node in ast.walk(parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
