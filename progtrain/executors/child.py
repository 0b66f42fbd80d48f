"""Turning a freshly forked process into what `python ARGUMENTS` would have been."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import ctypes
import importlib.util
import io
import os
import random
import signal
import sys
import threading
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import NoReturn

from progtrain.executors.messages import Start

_PR_SET_PDEATHSIG = 1


def detach(job: Start, supervisor: int) -> None:
    """Leave the supervisor: own session, output to the job's log, the job's folder and environment.

    Args:
        job: what this process is to be.
        supervisor: process id of the parent; this process dies with it, where the system can arrange that.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)  # the supervisor died before the line above could take effect
    _redirect(job.log)
    os.chdir(job.cwd)
    os.environ.clear()
    os.environ.update(job.environment)


def run_fresh(arguments: Sequence[str]) -> NoReturn:
    """Become a new interpreter; unbuffered, so that the log is whole when the process is killed."""
    os.execv(sys.executable, [sys.executable, "-u", *arguments])


def run_here(arguments: Sequence[str]) -> NoReturn:
    """Run a script or `-m module` as `__main__` in this interpreter, and end as Python ends."""
    _reseed()
    try:
        if arguments[0] == "-m":
            _run_module(arguments[1], arguments[2:])
        else:
            _run_script(arguments[0], arguments[1:])
        code = 0
    except SystemExit as end:
        code = _exit_code(end.code)
    except BaseException as error:  # noqa: BLE001 - the interpreter's own last handler: print, then exit code 1
        _report(error)
        code = 1
    # As the interpreter ends, except that it would now take half a second to take down the modules one by one.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code(code: object) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _redirect(log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # so that it keeps its order with stderr, and survives a kill


def _reseed() -> None:
    """Every interpreter starts from its own random state; a fork would share its parent's."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()


def _run_script(script: str, arguments: Sequence[str]) -> None:
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).resolve().parent))
    file = os.path.abspath(script)
    try:
        source = Path(file).read_bytes()
    except OSError as error:
        print(f"{sys.executable}: can't open file {file!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        sys.exit(2)
    main = _new_main(file, None, SourceFileLoader("__main__", file))
    exec(compile(source, file, "exec", dont_inherit=True), main.__dict__)


def _run_module(name: str, arguments: Sequence[str]) -> None:
    sys.path.insert(0, os.getcwd())
    spec = _module_spec(name)
    if spec is None or spec.origin is None or not isinstance(spec.loader, SourceFileLoader):
        print(f"{sys.executable}: No module named {name}", file=sys.stderr)
        sys.exit(1)
    sys.argv = [spec.origin, *arguments]
    main = _new_main(spec.origin, spec, spec.loader)
    code = spec.loader.get_code(spec.name)
    assert code is not None
    exec(code, main.__dict__)


def _module_spec(name: str) -> ModuleSpec | None:
    with contextlib.suppress(ModuleNotFoundError):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            return importlib.util.find_spec(f"{name}.__main__")
        return spec
    return None


def _new_main(file: str, spec: ModuleSpec | None, loader: SourceFileLoader) -> types.ModuleType:
    """A real module, so that pickle finds its classes and inspect its source."""
    main = types.ModuleType("__main__")
    package = spec.parent if spec is not None else None
    main.__dict__.update(
        __file__=file, __spec__=spec, __loader__=loader, __package__=package, __cached__=None, __builtins__=builtins
    )
    sys.modules["__main__"] = main
    return main


def _report(error: BaseException) -> None:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)
