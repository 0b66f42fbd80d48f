"""Training on what is measured is reported; training otherwise than the rules say is refused."""

import pytest

from progtrain.errors import EvaluationError, ScriptError
from progtrain.reporting.final import leaderboard_of
from progtrain.reporting.final_analysis import render_final_analysis
from progtrain.rules import read_rules
from progtrain.step_records import TrainRecord
from progtrain.steps.analyze import analyze
from progtrain.workspace import Workspace

from .conftest import VERSION, Attacked


def test_validation_samples_in_the_training_set_are_told_of_everywhere(attacked: Attacked) -> None:
    both = 'train = torch.utils.data.ConcatDataset([rows("train"), rows("valid")])\n    valid = rows("valid")'
    attacked.script(('train, valid = rows("train"), rows("valid")', both))
    attacked.train()
    attacked.evaluate()
    analyze(attacked.context(), VERSION)
    told = "32 of 32 validation samples"
    assert any(told in line for line in attacked.said)
    assert told in (attacked.home(VERSION) / "result-analysis.md").read_text()
    workspace = Workspace(attacked.root)
    page = render_final_analysis(workspace, leaderboard_of(workspace), read_rules(attacked.root))
    assert f"{VERSION} trains on {told}" in page
    assert "v001 trains on" not in page


def test_another_seed_is_set_back(attacked: Attacked) -> None:
    attacked.script(("SEED = 42", "SEED = 7"))
    attacked.train()
    record = Workspace(attacked.root).read_record(TrainRecord, "train", VERSION)
    assert record is not None
    assert record.snapshot.seed == 42
    attacked.assert_as_honest(attacked.evaluate())


@pytest.mark.parametrize(
    ("hook", "error", "told"),
    [
        # What a hook before the first step sets is seen at capture, what one while it trains sets in the checkpoint.
        ("on_train_start(self)", ScriptError, r"training_config\.lr asks for lr 0\.01, the script trains with 0\.5"),
        (
            "on_train_batch_start(self, batch, batch_idx)",
            EvaluationError,
            r"training_config\.lr fixes lr at 0\.01, the optimizer had \[0\.5\]",
        ),
    ],
)
def test_a_locked_rate_that_is_changed_behind_the_back(
    attacked: Attacked, hook: str, error: type[Exception], told: str
) -> None:
    aliased = f'    def {hook}:\n        self.optimizers().param_groups[0]["lr"] = 0.5\n\n    def forward(self, x):'
    attacked.script(("    def forward(self, x):", aliased))

    def judged() -> None:
        attacked.train()
        attacked.evaluate()

    with pytest.raises(error, match=told):
        judged()
    assert not (attacked.home(VERSION) / "eval_score.json").exists()
