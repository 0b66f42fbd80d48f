import json
from pathlib import Path

import pytest

from progtrain.errors import CaptureError
from progtrain.script.capturing.leaving import leave_at_fit
from progtrain.script.capturing.patience import CAPTURE_TIME_LIMIT, seconds_before_fit
from tests.script.capturing.scripts import SGD, TRAINER, captured, written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

SLEEPS = {
    "asleep": "import time\ntime.sleep(600)",
    "deaf to exceptions": "import time\ntry:\n    time.sleep(600)\nexcept Exception:\n    pass",
    "deaf to everything": "import time\ntry:\n    time.sleep(600)\nexcept:\n    time.sleep(600)",
    "busy": "while True:\n    pass",
}


@pytest.fixture(autouse=True)
def _limited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    rules = {"loop_config": {"train_time_limit_minutes": 0.3 / 60}}
    (tmp_path / "user_defined_rules.json").write_text(json.dumps(rules))


@pytest.mark.parametrize("kind", SLEEPS)
def test_a_script_that_does_not_come_to_fit_is_ended(tmp_path: Path, kind: str) -> None:
    with pytest.raises(CaptureError, match=r"02_train_v001\.py was ended in line \d+ after 0\.3 s before Trainer\.fit"):
        captured(tmp_path, SLEEPS[kind], SGD)


def test_what_happens_at_the_fit_has_the_time_that_it_needs(tmp_path: Path) -> None:
    script = written(tmp_path, "import lightning as L", f"{TRAINER}.fit(Net(), loader(50))")
    through: list[int] = []

    def at_fit(*given: object, **named: object) -> None:
        through.append(sum(range(30_000_000)))  # longer than the limit

    leave_at_fit(script, (), at_fit)
    assert through


def test_without_a_rule_there_is_a_limit_too(tmp_path: Path) -> None:
    (tmp_path / "user_defined_rules.json").unlink()
    assert seconds_before_fit(tmp_path) == CAPTURE_TIME_LIMIT
