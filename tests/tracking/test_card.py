from __future__ import annotations

import math

from progtrain.records import EvalScore, MetricValue
from progtrain.rules import EvalConfig, Rules
from progtrain.tracking.card import LARGEST, as_param, curve_keys, metric_key, score_metrics
from progtrain.tracking.ledger import Ledger
from progtrain.workspace import now


def test_names_are_brought_into_the_characters_that_mlflow_takes() -> None:
    assert metric_key("mAP@50 (%)") == "mAP_50 ___"
    assert metric_key("val/loss_epoch") == "val/loss_epoch"


def test_a_curve_named_as_a_metric_is_kept_apart_from_it() -> None:
    rules = Rules(eval_config=EvalConfig(metrics=("f1", "p@1")))
    keys = curve_keys(("f1", "val_f1", "p@1", "loss"), rules)
    assert keys == {"f1": "train_log/f1", "val_f1": "val_f1", "p@1": "train_log/p_1", "loss": "train_log/loss"}


def test_values_of_an_evaluation_keep_their_names_and_get_out_of_each_others_way() -> None:
    values = (("f1", 0.5), ("f1", 0.25), ("loss", math.inf), ("auroc", None), ("rmse", math.nan))
    metrics = tuple(MetricValue(name=name, value=value, higher_is_better=True) for name, value in values)
    found = score_metrics(EvalScore(dataset_id="v1", created_at=now(), num_samples=1, metrics=metrics, latency_ms=2.0))
    assert math.isnan(found.pop("rmse"))
    assert found == {"latency_ms": 2.0, "f1": 0.5, "f1__2": 0.25, "loss": LARGEST}


def test_parameters_are_text_of_a_length_that_mlflow_takes() -> None:
    assert as_param("SGD") == "SGD"
    assert as_param([0.1, None]) == "[0.1, null]"
    assert 5900 < len(as_param("x" * 7000)) <= 6000
    assert "1,100 characters cut" in as_param("x" * 7000)


def test_a_training_begun_anew_leaves_the_former_one_to_be_closed(workspace) -> None:
    ledger = Ledger(workspace)
    ledger.begin_training("v001", "KILLED")
    first = ledger.version("v001")
    ledger.change_version("v001", first.training, failure="no")
    ledger.begin_training("v001", "KILLED")
    second = Ledger(workspace).version("v001")
    assert second.training != first.training
    assert [(closed.training, closed.status) for closed in second.superseded] == [(first.training, "FAILED")]
