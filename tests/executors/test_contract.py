import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Literal

import pytest

from progtrain.errors import ProgtrainError
from progtrain.executors import Job, Outcome
from progtrain.executors.job_log import KEPT, LARGEST, NOTE
from progtrain.executors.local import LocalExecutor

RunSource = Callable[..., tuple[Outcome, str]]

SLEEPS_WITH_A_CHILD = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
child.wait()
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pids_in(log: Path) -> list[int]:
    wait_until(lambda: log.is_file() and log.read_text().count(" ") >= 1)
    return [int(word) for word in log.read_text().split()]


@pytest.mark.parametrize(
    ("end", "exit_code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('why')", 1),
        ("raise ValueError('no')", 1),
        ("os.kill(os.getpid(), 9)", -9),
        ("os._exit(4)", 4),
    ],
)
def test_the_exit_code_is_pythons(run_source: RunSource, end: str, exit_code: int) -> None:
    outcome, _ = run_source(f"import os, sys\n{end}\n")
    assert outcome.exit_code == exit_code
    assert outcome.succeeded == (exit_code == 0)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    raise ValueError('deep')\nf()\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise RuntimeError('after') from error\n",
        "x = (\n",
        "import sys\nsys.exit('a message')\n",
        "import atexit\natexit.register(print, 'last')\nprint('first')\nraise SystemExit\n",
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.2), print('thread'))).start()\n",
        "import sys\nprint(sys.argv, __name__, sys.path[0], __file__, __spec__)\n",
        "import this_is_not_there\n",
    ],
)
def test_the_log_is_what_python_prints(run_source: RunSource, tmp_path: Path, source: str) -> None:
    outcome, log = run_source(source, "--lr", "0.1")
    command = [sys.executable, "script.py", "--lr", "0.1"]
    plain = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (outcome.exit_code, log) == (plain.returncode, plain.stdout + plain.stderr)


def test_main_is_a_real_module(run_source: RunSource) -> None:
    _, log = run_source(
        dedent("""
        import inspect, multiprocessing, pickle
        class Thing:
            size = 3
        def double(number):
            return 2 * number
        if __name__ == "__main__":
            print(pickle.loads(pickle.dumps(Thing())).size, inspect.getsource(Thing).splitlines()[1].strip())
            for method in ("fork", "spawn"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    print(pool.map(double, [1, 2]))
        """)
    )
    assert log.splitlines() == ["3 size = 3", "[2, 4]", "[2, 4]"]


def test_a_module_is_run_with_dash_m(executor: LocalExecutor, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "tool.py").write_text("import sys\nprint(__name__, __spec__.name, sys.argv[1:])\n")
    log = tmp_path / "job.log"
    assert executor.run(Job(("-m", "package.tool", "x"), tmp_path, log)).succeeded
    assert log.read_text() == "__main__ package.tool ['x']\n"
    assert executor.run(Job(("-m", "package.nothing"), tmp_path, log)).exit_code == 1
    assert "No module named package.nothing" in log.read_text()


def test_the_environment_adopts_no_run(
    executor: LocalExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")
    (tmp_path / "script.py").write_text(
        "import os\nfor name in ('MLFLOW_RUN_ID', 'MLFLOW_TRACKING_URI', 'FOR_EVERY_JOB', 'OWN'):\n"
        "    print(os.environ.get(name))\n"
    )
    log = tmp_path / "job.log"
    executor.run(Job(("script.py",), tmp_path, log, environment={"OWN": "1"}))
    assert log.read_text().split() == ["None", "sqlite:///x.db", "yes", "1"]


def test_no_job_gets_another_ones_random_numbers_or_modules(run_source: RunSource) -> None:
    source = "import random, sys, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())\n"
    first, second = run_source(source)[1].split(), run_source(source)[1].split()
    assert len(first) == 3
    assert not set(first) & set(second)


def test_the_time_limit_ends_a_job_and_what_it_started(run_source: RunSource) -> None:
    outcome, log = run_source(SLEEPS_WITH_A_CHILD, time_limit=2.0)
    assert outcome.timed_out
    assert not outcome.succeeded
    assert outcome.exit_code == -signal.SIGTERM
    wait_until(lambda: not any(is_running(int(pid)) for pid in log.split()))


def test_a_log_without_end_keeps_its_beginning_and_its_end_and_the_job_goes_on(run_source: RunSource) -> None:
    source = (
        "import subprocess, sys\nprint('first')\n"
        "for number in range(5):\n    print('x' * 10_000_000, flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'print(\"from a child\")'])\nprint('last')\n"
    )
    outcome, log = run_source(source)
    assert outcome.succeeded
    assert LARGEST > len(log) >= 2 * KEPT
    assert log.startswith("first\nxxx")
    assert NOTE.decode() in log
    assert log.endswith("xxx\nfrom a child\nlast\n")


def test_what_a_job_leaves_behind_ends_with_it(run_source: RunSource) -> None:
    outcome, log = run_source(SLEEPS_WITH_A_CHILD.replace("child.wait()", ""))
    assert outcome.succeeded
    wait_until(lambda: not is_running(int(log.split()[1])))


def test_jobs_run_at_once(executor: LocalExecutor, tmp_path: Path) -> None:
    # Each waits for the other's file: one after the other they would never end.
    source = (
        "import pathlib, sys, time\nmine, other = sys.argv[1:]\npathlib.Path(mine).touch()\n"
        "while not pathlib.Path(other).exists(): time.sleep(.01)\nsys.exit(int(mine))\n"
    )
    (tmp_path / "script.py").write_text(source)
    codes: dict[str, int] = {}

    def run(mine: str, other: str) -> None:
        job = Job(("script.py", mine, other), tmp_path, tmp_path / f"{mine}.log", time_limit=60)
        codes[mine] = executor.run(job).exit_code

    threads = [threading.Thread(target=run, args=pair) for pair in (("5", "6"), ("6", "5"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {"5": 5, "6": 6}


def test_ticks_come_in_the_callers_thread_and_an_error_there_ends_the_job(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SLEEPS_WITH_A_CHILD)
    log = tmp_path / "job.log"
    pids: list[int] = []

    def interrupt() -> None:
        assert threading.current_thread() is threading.main_thread()
        if log.is_file() and log.read_text().count(" "):
            pids.extend(pids_in(log))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        executor.run(Job(("script.py",), tmp_path, log), interrupt)
    wait_until(lambda: not any(is_running(pid) for pid in pids))


OWNER = """
import sys, threading
from pathlib import Path
from progtrain.executors import Job
from progtrain.executors.local import LocalExecutor
folder = Path(sys.argv[2])
executor = LocalExecutor(sys.argv[1], folder / "supervisor.log")
print(executor._supervisor.pid, flush=True)
executor.run(Job(("script.py",), folder, folder / "job.log"))
"""


def test_a_killed_owner_leaves_no_process(isolation: Literal["warm", "fresh"], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SLEEPS_WITH_A_CHILD)
    command = [sys.executable, "-c", OWNER, isolation, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        supervisor = int(owner.stdout.readline())
        pids = [supervisor, *pids_in(tmp_path / "job.log")]
        assert all(is_running(pid) for pid in pids)
        owner.kill()
    wait_until(lambda: not any(is_running(pid) for pid in pids))


def test_a_killed_supervisor_takes_its_jobs_along_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SLEEPS_WITH_A_CHILD)
    log = tmp_path / "job.log"
    pids: list[int] = []
    with LocalExecutor("fresh", tmp_path / "supervisor.log") as executor:

        def kill() -> None:
            if not pids and log.is_file() and log.read_text().count(" "):
                pids.extend(pids_in(log))
                (tmp_path / "supervisor.log").write_text("out of memory\n")
                os.kill(parent_of(pids[0]), signal.SIGKILL)

        with pytest.raises(ProgtrainError, match="out of memory"):
            executor.run(Job(("script.py",), tmp_path, log), kill)
        wait_until(lambda: not any(is_running(pid) for pid in pids))
        with pytest.raises(ProgtrainError, match="is gone"):
            executor.run(Job(("script.py",), tmp_path, log))


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_closing_ends_what_is_running(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SLEEPS_WITH_A_CHILD)
    log = tmp_path / "job.log"
    executor = LocalExecutor("fresh", tmp_path / "supervisor.log")
    gone: list[str] = []

    def run() -> None:
        try:
            executor.run(Job(("script.py",), tmp_path, log))
        except ProgtrainError as error:
            gone.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    pids = pids_in(log)
    executor.close()
    thread.join()
    assert gone
    wait_until(lambda: not any(is_running(pid) for pid in pids))
