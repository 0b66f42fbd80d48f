"""Live values against those that a user wrote down."""

import pytest
from pydantic import JsonValue

from progtrain.script.settings.agreement import agrees, is_there


@pytest.mark.parametrize(
    ("knob", "live", "wanted", "verdict"),
    [
        ("epochs", 20, 20.0, True),
        ("epochs", 20, 3, False),
        ("lr", [0.1, 0.1], 0.1, True),
        ("lr", [0.1, 0.01], 0.1, False),
        ("optimizer", "AdamW", "adamw", True),
        ("optimizer", "AdamW", "adam", False),
        ("optimizer", ["Adam", "SGD"], "SGD", False),
        ("activation", ["gelu(approximate='none')", "sigmoid"], "GELU", True),
        ("activation", ["relu", "relu"], "gelu", False),
        ("normalization", ["batch_norm(eps=1e-05)"], "BatchNorm1d", True),
        ("normalization", [], "batch_norm", False),
        ("normalization", [], "none", True),
        ("normalization", [], None, True),
        ("normalization", ["layer_norm"], None, False),
        ("loss", "cross_entropy(reduction='mean')", "CrossEntropyLoss", True),
        ("loss", "mse_loss", "MSELoss", True),
        ("loss", "mse_loss", "huber_loss", False),
        ("scheduler", {"type": "CosineAnnealingLR", "arguments": {}}, "cosine", True),
        ("scheduler", {"type": "OneCycleLR", "arguments": {}}, "cosine", False),
        ("scheduler", None, None, True),
        ("precision", "32-true", 32, True),
        ("precision", "bf16-mixed", "bf16", True),
        ("precision", "32-true", "16-mixed", False),
        ("gradient_clip", [1.0, "norm"], 1, True),
        ("gradient_clip", [1.0, "norm"], 0.5, False),
        ("gradient_clip", None, 0, True),
        ("betas", [0.9, 0.95], [0.9, 0.95], True),
        ("betas", [[0.9, 0.95], [0.9, 0.999]], [0.9, 0.95], False),
        ("dropout", [0.2, 0.2], 0.2, True),
        ("dropout", [], 0.2, False),
        ("dropout", [0.0], None, True),
        ("weight_decay", 0, None, True),
        ("shuffle", True, True, True),
        ("shuffle", False, True, False),
        ("shuffle", True, False, False),
        ("early_stopping", "EarlyStopping(patience=3)", True, True),
        ("early_stopping", "EarlyStopping(patience=3)", 3, None),
        ("width", [[40, 64], [64, 10]], 64, True),
        ("width", [[40, 64], [64, 10]], 128, False),
        ("layers", ["Linear", "Linear"], 3, None),
        ("callbacks", [], {"a": 1}, None),
    ],
)
def test_agrees(knob: str, live: JsonValue, wanted: JsonValue, verdict: bool | None) -> None:
    assert agrees(knob, live, wanted) is verdict


@pytest.mark.parametrize(("live", "there"), [(None, False), ([], False), (0, True), (False, True), ("SGD", True)])
def test_is_there(live: JsonValue, there: bool) -> None:
    assert is_there(live) is there
