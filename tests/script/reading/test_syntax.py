"""Trees of several threads at once."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from progtrain.script.reading.syntax import parse

SOURCE = "\n".join(f"value_{n} = [f({n}, x={n}) for _ in range({n}) if g(h({n}))]" for n in range(400))


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns whenever the garbage collector runs."""

    def linger(phase: str, info: dict[str, int]) -> None:
        for _ in range(2000):
            pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gc.callbacks.append(linger)
    yield
    gc.callbacks.remove(linger)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switching")
def test_threads_that_parse_at_once_do_not_disturb_each_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        trees = [*pool.map(parse, [SOURCE] * 40)]
    assert {len(tree.body) for tree in trees} == {400}


def test_what_is_not_python_is_said_to_be_none() -> None:
    with pytest.raises(SyntaxError):
        parse("def")


def test_any_other_system_error_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(source: str) -> ast.Module:
        raise SystemError("broken")

    monkeypatch.setattr(ast, "parse", broken)
    with pytest.raises(SystemError, match="broken"):
        parse("x = 1")
