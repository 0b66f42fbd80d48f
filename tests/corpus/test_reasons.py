"""The most frequent reasons are told of scripts of which they are true, not of others; the scripts' text decides."""

import re

import pytest

from scripts.coverage_table import frequent_reasons
from tests.corpus.record import general, read_record
from tests.corpus.trials import scripts

DECAY = r"weight_decay=(?!0\.0|0,|0\))"
#: An action, the beginning of its reason, a script of which it is true, another of which it is not, and what stands in
#: exactly one of the two, or "" where it is a count.
FACTS = [
    ("lower_dropout", "the script writes no dropout", "cnn_pictures", "unseeded", r"Dropout|dropout"),
    ("crop_augmentation", "the inputs are no signals or images", "unseeded", "cnn_pictures", r"Conv2d"),
    ("absolute_loss", "the training step has not one mse_loss", "unseeded", "far_from_zero", r"MSELoss|mse_loss"),
    ("early_stopping", "no ModelCheckpoint monitors", "unseeded", "shared_step_stages", r"ModelCheckpoint"),
    ("ema", "N steps are too few", "inline_fit", "default_rate", ""),
    ("gelu", "Expected nn.ReLU, F.relu", "optimizer_by_name", "unseeded", r"(?i)\brelu"),
    ("deepen", "Expected a Linear or Conv layer followed", "tensor_loss_by_hand", "cnn_pictures", r"Linear\("),
    ("log_target", "the targets are not known to be positive and skewed", "far_from_zero", "skewed_prices", r"np\.exp"),
    ("standardize_target", "the target is not known to be on a scale", "regression_table", "skewed_prices", r"np\.exp"),
    ("match_schedule_length", "no scheduler is made for another", "unseeded", "dead_milestones", r"lr_scheduler"),
    ("usual_weight_decay", "weights are not known to decay", "unseeded", "held_back", r"weight_decay"),
    ("output_bias", "the first loss is not known to be above", "regression_table", "far_from_zero", r"293"),
    (
        "smaller_residual_initialization",
        "Expected a forward that adds",
        "unseeded",
        "masked_reconstruction",
        r"h \+ nn",
    ),
    ("accumulate_gradients", "N steps would be left", "inline_fit", "small_batches", ""),
    ("shuffle_on", "the order of the training samples comes", "inline_fit", "small_batches", r"shuffle"),
    ("focal_loss", "the training step has not one cross entropy", "far_from_zero", "unseeded", r"cross_entropy"),
    ("mixup", "a batch is not a pair", "dict_batches", "unseeded", r"attention_mask"),
    ("lower_weight_decay", "weight decay is N, too little", "unseeded", "dead_milestones", DECAY),
    ("no_decay_on_norms", "there is no weight decay to keep", "unseeded", "dead_milestones", DECAY),
    ("raise_weight_decay", "there is no weight decay to raise", "unseeded", "dead_milestones", DECAY),
]


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, str], str]:
    return {(trial.script, trial.action): general(trial.reason) for trial in read_record()}


@pytest.mark.parametrize(("action", "words", "true", "false", "text"), FACTS, ids=[fact[0] for fact in FACTS])
def test_a_reason_is_told_where_it_is_true_alone(said, action, words, true, false, text):
    assert said[true, action].startswith(words)
    assert not said[false, action].startswith(words)
    if text:
        found = [bool(re.search(text, scripts()[name].read_text(encoding="utf-8"))) for name in (true, false)]
        assert sorted(found) == [False, True]


def test_every_frequent_reason_is_held():
    reasons = [reason for reason, _ in frequent_reasons(read_record(), 20)]

    assert [reason for reason in reasons if not any(reason.startswith(fact[1]) for fact in FACTS)] == []
