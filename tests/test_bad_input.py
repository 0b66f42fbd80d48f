"""Whatever is wrong with what a user wrote: one message, no traceback, its exit status, and nothing is touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from progtrain.cli import cli

STATS = '{"task_type": "classification", "num_train": 32, "num_valid": 16}'
RULES = '{"dataset_config": {"dataset_id": "v1"}, "loop_config": {"max_versions": 3}}'
SCRIPT = 'DATASET_ID = "v1"\nVERSION = "baseline"\nraise RuntimeError("no bad input may come to run a script")\n'
DEEP = 20_000

Prepare = Callable[[Path], object]


@dataclass(frozen=True)
class Row:
    """One bad input.

    Args:
        name: of the row.
        prepare: makes the workspace bad; a text is one of the rules file.
        said: in the message.
        arguments: of the command line; `{w}` is the workspace.
        status: the exit status.
    """

    name: str
    prepare: Prepare | str | bytes
    said: str
    arguments: tuple[str, ...] = ("run", "{w}")
    status: int = 2

    def make(self, root: Path) -> None:
        """Make the workspace bad."""
        if callable(self.prepare):
            self.prepare(root)
        else:
            text = self.prepare if isinstance(self.prepare, bytes) else self.prepare.encode()
            (root / "user_defined_rules.json").write_bytes(text)


def nothing(root: Path) -> None:
    """The workspace is fine; the command line is not."""


def text(name: str, content: str | bytes) -> Prepare:
    """A file with that content."""
    return lambda root: (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _gone(root: Path, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rename(root / "moved_away")
    path.unlink(missing_ok=True)
    return path


def gone(name: str) -> Prepare:
    """Nothing there."""
    return lambda root: _gone(root, name)


def folder(name: str) -> Prepare:
    """A folder where a file belongs."""
    return lambda root: _gone(root, name).mkdir()


def file(name: str) -> Prepare:
    """A file where a folder belongs."""
    return lambda root: _gone(root, name).write_text("a file")


def pipe(name: str) -> Prepare:
    """A pipe that nobody writes into: whoever opens it waits for ever."""
    return lambda root: os.mkfifo(_gone(root, name))


def loop(name: str) -> Prepare:
    """A link to itself."""
    return lambda root: _gone(root, name).symlink_to(root / name)


def device(name: str) -> Prepare:
    """A file without end."""
    return lambda root: _gone(root, name).symlink_to("/dev/zero")


def rules(section: str, **keys: object) -> str:
    """Rules with these keys in a section."""
    return json.dumps({**json.loads(RULES), section: {**json.loads(RULES).get(section, {}), **keys}})


RULES_FILE = "user_defined_rules.json"
BASELINE = "02_train_baseline.py"
STATS_FILE = "dataset/prepdata/v1/stats.json"

RULES_ROWS = (
    Row("not JSON", "{", "not JSON"),
    Row("empty", "", "not JSON"),
    Row("a list", "[]", "expected a JSON object, got list"),
    Row("a word", '"rules"', "got str"),
    Row("deep lists", "[" * DEEP + "]" * DEEP, "at most 32 levels"),
    Row("deep objects", '{"a":' * DEEP + "1" + "}" * DEEP, "at most 32 levels"),
    Row("deep enough", '{"training_config": {"lr": ' + "[" * 40 + "]" * 40 + "}}", "at most 32 levels"),
    Row("6,000 digits", '{"seed": ' + "7" * 6000 + "}", "6,000 digits"),
    Row("300 digits", '{"training_config": {"epochs": ' + "7" * 300 + "}}", "300 digits"),
    Row("not a number", '{"training_config": {"lr": NaN}}', "training_config.lr, got nan"),
    Row("infinity", '{"loop_config": {"train_time_limit_minutes": Infinity}}', "got inf"),
    Row("too large a float", '{"training_config": {"lr": 1e999}}', "got inf"),
    Row("a key twice", '{"seed": 1, "seed": 2}', "'seed' twice"),
    Row("an inner key twice", '{"training_config": {"lr": 1, "lr": 2}}', "'lr' twice"),
    Row("UTF-16", RULES.encode("utf-16"), "UTF-8"),
    Row("Latin-1", b'{"dataset_config": {"dataset_id": "gr\xf6\xdfe"}}', "0xf6 at byte"),
    Row("binary", bytes(range(256)), "UTF-8"),
    Row("a folder", folder(RULES_FILE), "got a folder"),
    Row("a link to itself", loop(RULES_FILE), "a link that leads nowhere"),
    Row("a pipe", pipe(RULES_FILE), "neither a file nor a folder"),
    Row("a device", device(RULES_FILE), "neither a file nor a folder"),
    Row("a section is a list", '{"loop_config": []}', "loop_config"),
    Row("a section is null", '{"training_config": null}', "training_config"),
    Row("unknown key", rules("loop_config", max_version=3), "did you mean 'max_versions'"),
    Row("unknown key of 9,000 letters", rules("loop_config", **{"k" * 9000: 1}), "characters cut"),
    Row("200 unknown keys", rules("loop_config", **{f"k{n}": 1 for n in range(200)}), "and 190 more"),
    Row("true for a count", rules("loop_config", max_versions=True), "should be a number, got true"),
    Row("a word for a count", rules("loop_config", max_versions="3"), 'should be a number, got "3"'),
    Row("half a version", rules("loop_config", max_versions=2.5), "max_versions"),
    Row("no version", rules("loop_config", max_versions=0), "greater than or equal to 1"),
    Row("too many versions", rules("loop_config", max_versions=1000), "less than or equal to 999"),
    Row("too many attempts", rules("loop_config", max_train_attempts=10**6), "less than or equal to 99"),
    Row("no time", rules("loop_config", train_time_limit_minutes=0), "greater than 0"),
    Row("more than a year", rules("loop_config", train_time_limit_minutes=1e9), "525600"),
    Row("true for a time", rules("loop_config", train_time_limit_minutes=True), "should be a number, got true"),
    Row("negative budget", rules("loop_config", time_budget_minutes=-3), "greater than 0"),
    Row("unknown isolation", rules("loop_config", isolation="cold"), "'warm' or 'fresh'"),
    Row("1 for true", rules("loop_config", use_memory=1), "use_memory"),
    Row("a word for true", '{"strict_instructions": "yes"}', "strict_instructions"),
    Row("negative seed", '{"seed": -1}', "seed"),
    Row("too large a seed", '{"seed": 4294967296}', "4294967296"),
    Row("true for a seed", '{"seed": true}', "should be a number, got true"),
    Row("no seed", '{"seed": null}', "seed"),
    Row("negative seed of the script", rules("training_config", random_seed=-1), "at most 4.29497e+09 under"),
    Row("two seeds", '{"seed": 1, "training_config": {"seed": 2}}', "seed is 1"),
    Row("true for epochs", rules("training_config", epochs=True), "a whole number of at least 1 under 'epochs'"),
    Row("no epochs", rules("training_config", max_epochs=0), "under 'max_epochs'"),
    Row("a word for epochs", rules("training_config", epochs="ten"), "under 'epochs'"),
    Row("half a sample", rules("training_config", batch_size=2.5), "under 'batch_size'"),
    Row("dropout above 1", rules("training_config", dropout=1.5), "at least 0 and at most 1"),
    Row("negative rate", rules("training_config", lr=-0.1), "under 'lr'"),
    Row("two spellings", rules("training_config", lr=0.1, learning_rate=0.2), "both fix 'lr'"),
    Row("dataset outside", rules("dataset_config", dataset_id="../v1"), "dataset_id"),
    Row("dataset without a name", rules("dataset_config", dataset_id=""), "dataset_id"),
    Row("dataset with a line break", rules("dataset_config", dataset_id="v1\n"), "dataset_id"),
    Row("dataset is a number", rules("dataset_config", dataset_id=1), "dataset_id"),
    Row("dataset not there", rules("dataset_config", dataset_id="v9"), "there are ['v1']"),
    Row("no dataset", "{}", "--dataset-id"),
    Row("metric without a name", rules("eval_config", metrics=[""]), "at least 1 character"),
    Row("metrics is a word", rules("eval_config", metrics="accuracy"), "eval_config.metrics"),
    Row("primary without a name", rules("eval_config", primary_metric=""), "at least 1 character"),
    Row("unknown metric", rules("eval_config", metrics=["acuracy"]), "the closest are ['Accuracy'"),
    Row("negative samples", rules("eval_config", infer_samples=-1), "greater than or equal to 0"),
    Row("unknown lock", rules("constraints", lock=["optimzer"]), "perhaps 'optimizer'"),
    Row("unknown action", rules("constraints", forbid=["wident"]), "'widen'"),
    Row("allow is a word", rules("constraints", allow="gelu"), "constraints.allow"),
    Row("no parameters", rules("constraints", max_parameters=0), "greater than or equal to 1"),
    Row("negative latency", rules("constraints", max_latency_ms=-1), "greater than 0"),
    Row("instructions are a folder", folder("user_instruction.md"), "user_instruction.md, got a folder"),
    Row("instructions in Latin-1", text("user_instruction.md", b"h\xf6chstens"), "UTF-8"),
    Row("instructions are a pipe", pipe("user_instruction.md"), "neither a file nor a folder"),
)

DATA_ROWS = (
    Row("no stats", gone(STATS_FILE), "stats.json, which names task_type"),
    Row("stats not JSON", text(STATS_FILE, "{"), "not JSON"),
    Row("stats is a list", text(STATS_FILE, "[]"), "got list"),
    Row("stats is deep", text(STATS_FILE, "[" * DEEP), "at most 32 levels"),
    Row("stats is binary", text(STATS_FILE, bytes(range(256))), "UTF-8"),
    Row("stats is a folder", folder(STATS_FILE), "got a folder"),
    Row("stats is a pipe", pipe(STATS_FILE), "neither a file nor a folder"),
    Row("no task", text(STATS_FILE, '{"num_train": 3}'), "'task_type'"),
    Row("task is a number", text(STATS_FILE, '{"task_type": 1}'), "'task_type'"),
    Row("unknown task", text(STATS_FILE, STATS.replace("classification", "detection")), "got 'detection'"),
    Row("two counts", text(STATS_FILE, STATS.replace("16}", '16, "splits": {"train": {"n": 4}}}')), "and 4 under"),
    Row("dataset is a file", file("dataset"), "Expected a folder at"),
    Row("dataset is a loop", loop("dataset"), "a link that leads nowhere"),
    Row("prepdata is a file", file("dataset/prepdata"), "Expected a folder at"),
    Row("no prepdata", gone("dataset/prepdata"), "No prepared data set 'v1'"),
    Row("the set is a file", file("dataset/prepdata/v1"), "No prepared data set 'v1'"),
)

SCRIPT_ROWS = (
    Row("no script", gone(BASELINE), "found neither"),
    Row("a folder", folder(BASELINE), "got a folder"),
    Row("a link to itself", loop(BASELINE), "a link that leads nowhere"),
    Row("a pipe", pipe(BASELINE), "neither a file nor a folder"),
    Row("binary", text(BASELINE, bytes(range(256))), "UTF-8"),
    Row("Latin-1", text(BASELINE, b"# gr\xf6\xdfe\n"), "0xf6 at byte 4"),
    Row("null bytes", text(BASELINE, b"a = 1\n\0"), "null bytes"),
    Row("no Python", text(BASELINE, "def train(:\n"), "syntax error in line 1"),
    Row("too deep to parse", text(BASELINE, "x = " + "-" * 100_000 + "1\n"), "cannot be parsed"),
    Row("too deep to walk", text(BASELINE, "x = 1\ny = " + " + ".join("1" * 400) + "\n"), "200 deep"),
    Row("too many brackets", text(BASELINE, "(" * DEEP), "too many nested parentheses"),
    Row("a version is a folder", folder("02_train_v001.py"), "got a folder"),
    Row("inspect a folder", folder("02_train_v002.py"), "got a folder", ("inspect", "{w}")),
    Row("inspect a binary", text("x.py", bytes(range(256))), "UTF-8", ("inspect", "{w}/x.py")),
    Row("inspect no Python", text("x.py", "x = ("), "line 1", ("inspect", "{w}/x.py")),
    Row("apply to a binary", text("x.py", bytes(range(256))), "UTF-8", ("apply", "gelu", "{w}/x.py")),
)

WORKSPACE_ROWS = (
    Row("Models is a file", file("Models"), "Expected a folder at"),
    Row("Artifacts is a file", file("Models/Artifacts"), "Expected a folder at"),
    Row("Report is a file", file("Models/Report"), "Expected a folder at"),
    Row("external is a file", file("Models/external"), "Expected a folder at"),
    Row("Models leads nowhere", loop("Models"), "a link that leads nowhere"),
    Row("the state is a file", file(".progtrain"), "Expected a folder at"),
    Row("a record is a folder", folder(".progtrain/loop.json"), "Expected a file at"),
    Row("the lock is a folder", folder(".progtrain/lock"), "Expected a file at"),
    Row("the evaluation is a folder", folder("03_eval.py"), "Expected a file at"),
    Row("the report's script is a folder", folder("04_final_report.py"), "Expected a file at"),
    Row("the metrics are a folder", folder("metrics.py"), "Expected a file at"),
    Row("the store is a folder", folder("mlflow.db"), "Expected a file at"),
    Row("nothing there", nothing, "Expected a workspace folder", ("run", "{w}/nowhere")),
    Row("a file", nothing, "Expected a workspace folder", ("run", "{w}/02_train_baseline.py")),
    Row("a device", nothing, "Expected a workspace folder", ("status", "/dev/null")),
    Row("read-only", nothing, "can be written", ("run", "/proc")),
    Row("inspect where the state is a file", file(".progtrain"), "Expected a folder", ("inspect", "{w}")),
    Row("apply where Models is a file", file("Models"), "Expected a folder", ("apply", "gelu", f"{{w}}/{BASELINE}")),
)

ARGUMENT_ROWS = (
    Row("no such verb", nothing, "No such command 'runn'", ("runn",)),
    Row("no such option", nothing, "No such option", ("run", "{w}", "--fast")),
    Row("too much", nothing, "unexpected extra argument", ("run", "{w}", "{w}")),
    Row("versions in words", nothing, "not a valid integer", ("run", "{w}", "--max-versions", "two")),
    Row("negative versions", nothing, "not in the range", ("run", "{w}", "--max-versions", "-1")),
    Row("more than the rules allow", nothing, "allow 3 versions", ("run", "{w}", "--max-versions", "7")),
    Row("data outside", nothing, "'../v1'", ("run", "{w}", "--dataset-id", "../v1")),
    Row("data not there", nothing, "there are ['v1']", ("run", "{w}", "--dataset-id", "v2")),
    Row("status of nothing", nothing, "Expected a workspace folder", ("status", "{w}/nowhere")),
    Row("status without a script", gone(BASELINE), BASELINE, ("status", "{w}")),
    Row("status under bad rules", "{", "not JSON", ("status", "{w}")),
    Row("inspect nothing", nothing, "does not exist", ("inspect", "{w}/nowhere")),
    Row("inspect without a script", gone(BASELINE), BASELINE, ("inspect", "{w}")),
    Row("inspect under bad rules", '{"seed": -1}', "seed", ("inspect", "{w}")),
    Row("actions of nothing", nothing, "Expected a workspace folder", ("actions", "-w", "{w}/nowhere")),
    Row("apply nothing", nothing, "Missing argument 'SCRIPT'", ("apply", "gelu")),
    Row("apply what is not there", nothing, "No action is called 'glue'", ("apply", "glue", f"{{w}}/{BASELINE}")),
    Row("apply to nothing", nothing, "does not exist", ("apply", "gelu", "{w}/nowhere.py")),
    Row("apply to a folder", nothing, "is a directory", ("apply", "gelu", "{w}")),
    Row("diff of nothing", nothing, "Missing argument", ("diff",)),
    Row("diff of no version", nothing, "got 'v007'", ("diff", "v007", "baseline", "-w", "{w}")),
    Row("diff of 5,000 digits", nothing, "characters cut", ("diff", "9" * 5000, "1", "-w", "{w}")),
    Row("diff of a digit that is none", nothing, "got '²'", ("diff", "²", "1", "-w", "{w}")),
    Row("diff of a path", nothing, "got '../x'", ("diff", "../x", "1", "-w", "{w}")),
    Row("train a path", nothing, "got '../x'", ("train", "{w}", "--version", "../x")),
    Row("train the baseline", nothing, "got 'baseline'", ("train", "{w}", "--version", "baseline")),
    Row("evaluate no version", nothing, "got 'v009'", ("evaluate", "{w}", "--version", "v009")),
    Row("choose for no version", nothing, "got '9'", ("choose", "{w}", "--version", "9")),
    Row("author without a name", nothing, "got ''", ("author", "{w}", "--version", "")),
    Row("report of nothing", nothing, "is not initialized", ("report", "{w}")),
    Row("memory of nothing", nothing, "Expected a workspace folder", ("memory", "{w}/nowhere")),
    Row("memory of no store", nothing, "found no such file", ("memory", "sqlite:///{w}/nowhere.db")),
    Row("memory of no database", text("x.db", "x" * 99), "cannot be read", ("memory", "sqlite:///{w}/x.db"), 1),
    Row("memory of an unknown scheme", nothing, "cannot be read", ("memory", "gopher://x"), 1),
    Row("ui of nothing", nothing, "Expected a workspace folder", ("ui", "{w}/nowhere")),
    Row("ui without a store", nothing, "Nothing of", ("ui", "{w}")),
    Row("ui at no port", nothing, "not in the range", ("ui", "{w}", "--port", "0")),
    Row("new of nothing", nothing, "got 'cifar'", ("new", "cifar", "{w}/new")),
    Row("new where there is something", nothing, "which has content", ("new", "mnist1d", "{w}")),
    Row("new where there is a file", nothing, "which has content", ("new", "mnist1d", f"{{w}}/{BASELINE}")),
    Row("new below a file", nothing, "Choose another", ("new", "mnist1d", f"{{w}}/{BASELINE}/new")),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace in which nothing is wrong but its script, which must not be run."""
    root = tmp_path / "workspace"
    (root / "dataset" / "prepdata" / "v1").mkdir(parents=True)
    (root / STATS_FILE).write_text(STATS)
    (root / RULES_FILE).write_text(RULES)
    (root / BASELINE).write_text(SCRIPT)
    return root


def content(root: Path) -> Mapping[str, object]:
    """What is the user's: every file by its bytes, every link by where it leads, all else by its kind."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        own = path.relative_to(root)
        if path.is_symlink():
            found[str(own)] = os.readlink(path)
        elif path.is_file():
            found[str(own)] = path.read_bytes()
        else:
            found[str(own)] = path.lstat().st_mode
    return {name: what for name, what in found.items() if not name.startswith(".progtrain/") and name != ".progtrain"}


def invoked(*arguments: str) -> Result:
    """The command line, to its end, in this process."""
    ended = CliRunner().invoke(cli, arguments, prog_name="progtrain")
    assert isinstance(ended.exception, SystemExit), ended.exception
    return ended


def assert_one_message(stderr: str, said: str) -> None:
    """One message, short, by progtrain or by click, and no traceback."""
    assert said in stderr
    assert "Traceback" not in stderr
    assert len(stderr) < 5000
    own, usage = stderr.startswith("progtrain: "), stderr.startswith("Usage: progtrain ")
    assert own or usage
    assert stderr.count("progtrain: " if own else "Error: ") == 1


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{group}: {row.name}")
        for group, rows in {
            "rules": RULES_ROWS,
            "data": DATA_ROWS,
            "script": SCRIPT_ROWS,
            "workspace": WORKSPACE_ROWS,
            "arguments": ARGUMENT_ROWS,
        }.items()
        for row in rows
    ],
)
def test_what_is_written_wrongly_is_one_message_and_nothing_is_touched(row: Row, workspace: Path) -> None:
    row.make(workspace)
    before = content(workspace)
    ended = invoked(*(argument.replace("{w}", str(workspace)) for argument in row.arguments))
    assert ended.exit_code == row.status, ended.stderr
    assert_one_message(ended.stderr, row.said)
    assert "Traceback" not in ended.stdout
    assert content(workspace) == before


BEFORE_FIT = (
    ("it ends", "print('done')\n", 1, "Trainer.fit"),
    ("it exits well", "import sys\nsys.exit(0)\n", 1, "Trainer.fit"),
    ("it is killed", "import os\nos.kill(os.getpid(), 9)\n", 1, "exit code -9"),
    ("a module is missing", "import jason\n", 1, "No module named 'jason'"),
    ("a message of 15,000 characters", "raise ValueError('x' * 15_000)\n", 1, "characters cut"),
    ("it sleeps", "import time\ntime.sleep(600)\n", 1, "train_time_limit_minutes"),
    ("it prints without end", "while True:\n    print('x' * 100_000)\n", 1, "train_time_limit_minutes"),
)


@pytest.mark.parametrize(("end", "status", "said"), [row[1:] for row in BEFORE_FIT], ids=[row[0] for row in BEFORE_FIT])
def test_a_script_that_does_not_reach_fit_is_one_message(workspace: Path, end: str, status: int, said: str) -> None:
    (workspace / BASELINE).write_text(f'DATASET_ID = "v1"\nVERSION = "baseline"\n{end}')
    (workspace / RULES_FILE).write_text(rules("loop_config", train_time_limit_minutes=0.02))
    before = content(workspace)
    ended = invoked("run", str(workspace))
    assert ended.exit_code == status, ended.stderr
    assert_one_message(ended.stderr, said)
    assert content(workspace) == before
    assert sum(path.stat().st_size for path in (workspace / ".progtrain").rglob("*.log")) < 20_000_000


def test_a_store_in_a_plain_folder_is_refused_before_anything_is_run(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mlruns")
    before = content(workspace)
    ended = invoked("run", str(workspace))
    assert ended.exit_code == 2
    assert_one_message(ended.stderr, "Expected MLFLOW_TRACKING_URI")
    assert content(workspace) == before


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_is_told_and_gives_its_exit_status(workspace: Path, number: int, name: str) -> None:
    (workspace / BASELINE).write_text(
        'DATASET_ID = "v1"\nVERSION = "baseline"\nopen("begun", "w")\n' + "while True: pass\n"
    )
    before = content(workspace)
    command = [sys.executable, "-m", "progtrain", "run", str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while not list(workspace.glob(".progtrain/scratch/*/begun")):
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(number)
        _, stderr = run.communicate()
    assert run.returncode == 128 + number
    assert_one_message(stderr, f"Ended by {name}")
    assert content(workspace) == before
    assert not (workspace / ".progtrain" / "lock.json").exists()


@pytest.mark.parametrize("name", ["lightning", "pytorch_lightning"])
def test_withdrawn_releases_are_told_of_at_the_start(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    installed = tmp_path / "site" / f"{name}-2.6.3.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.6.3\n")
    monkeypatch.syspath_prepend(installed.parent)
    (workspace / BASELINE).unlink()
    ended = invoked("run", str(workspace))
    told = [line for line in ended.stdout.splitlines() if line.startswith("warning: ")]
    assert len(told) == 1
    assert f"{name} 2.6.3 is installed" in told[0]
