"""Which argument of which torch or Lightning call sets which knob."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OPTIMIZERS: Final = "torch.optim."
SCHEDULERS: Final = "torch.optim.lr_scheduler."
LOADER: Final = "torch.utils.data.DataLoader"
TRAINER: Final = "lightning.Trainer"
CROSS_ENTROPIES: Final = ("torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy")


@dataclass(frozen=True)
class Signature:
    """The arguments of a callable as far as they matter here.

    Args:
        positional: names of its positions, in order.
        knobs: argument -> the knob that it sets.
    """

    positional: tuple[str, ...]
    knobs: Mapping[str, str]


def _same(*names: str, **others: str) -> dict[str, str]:
    return {**{name: name for name in names}, **others}


def _positions(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_OPTIMIZER_KNOBS: Final = _same("lr", "momentum", "nesterov", "betas", "weight_decay")
_OPTIMIZER_POSITIONS: Final = {
    "SGD": "params lr momentum dampening weight_decay nesterov",
    "Adam": "params lr betas eps weight_decay amsgrad",
    "AdamW": "params lr betas eps weight_decay amsgrad",
    "Adamax": "params lr betas eps weight_decay",
    "NAdam": "params lr betas eps weight_decay momentum_decay",
    "RAdam": "params lr betas eps weight_decay",
    "RMSprop": "params lr alpha eps weight_decay momentum centered",
    "Adagrad": "params lr lr_decay weight_decay initial_accumulator_value eps",
    "Adadelta": "params lr rho eps weight_decay",
    "ASGD": "params lr lambd alpha t0 weight_decay",
}
_DROPOUTS: Final = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
_FUNCTIONAL_DROPOUTS: Final = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")
_SIGNATURES: Final[dict[str, Signature]] = {
    **{
        OPTIMIZERS + name: Signature(_positions(positions), _OPTIMIZER_KNOBS)
        for name, positions in _OPTIMIZER_POSITIONS.items()
    },
    SCHEDULERS + "OneCycleLR": Signature(("optimizer", "max_lr"), {"max_lr": "lr"}),
    SCHEDULERS + "CyclicLR": Signature(("optimizer", "base_lr", "max_lr"), {"base_lr": "lr", "max_lr": "lr"}),
    LOADER: Signature(
        _positions("dataset batch_size shuffle sampler batch_sampler num_workers"),
        _same("batch_size", "shuffle", num_workers="workers"),
    ),
    TRAINER: Signature(
        (),
        _same(
            "precision",
            "max_steps",
            max_epochs="epochs",
            gradient_clip_val="gradient_clip",
            accumulate_grad_batches="accumulate",
        ),
    ),
    "lightning.seed_everything": Signature(("seed",), _same("seed")),
    "torch.manual_seed": Signature(("seed",), _same("seed")),
    "lightning.callbacks.EarlyStopping": Signature(
        ("monitor", "min_delta", "patience"), _same("monitor", patience="early_stopping")
    ),
    "lightning.callbacks.ModelCheckpoint": Signature(("dirpath", "filename", "monitor"), _same("monitor")),
    CROSS_ENTROPIES[0]: Signature(
        _positions("weight size_average ignore_index reduce reduction label_smoothing"), _same("label_smoothing")
    ),
    CROSS_ENTROPIES[1]: Signature(
        _positions("input target weight size_average ignore_index reduce reduction label_smoothing"),
        _same("label_smoothing"),
    ),
    **{f"torch.nn.{name}": Signature(("p",), {"p": "dropout"}) for name in _DROPOUTS},
    **{f"torch.nn.functional.{name}": Signature(("input", "p"), {"p": "dropout"}) for name in _FUNCTIONAL_DROPOUTS},
    **{
        f"torch.nn.{name}": Signature((), _same("dropout"))
        for name in ("LSTM", "GRU", "RNN", "MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer")
    },
}

#: Layers with sizes: (argument of the input's size, argument of the output's), in the order of their positions.
SIZES: Final[dict[str, tuple[str, str]]] = {
    "torch.nn.Linear": ("in_features", "out_features"),
    "torch.nn.LazyLinear": ("", "out_features"),
    **{f"torch.nn.Conv{n}d": ("in_channels", "out_channels") for n in (1, 2, 3)},
    **{f"torch.nn.ConvTranspose{n}d": ("in_channels", "out_channels") for n in (1, 2, 3)},
    **{f"torch.nn.{name}": ("input_size", "hidden_size") for name in ("LSTM", "GRU", "RNN")},
}

_ACTIVATIONS: Final = frozenset(
    _positions(
        "ReLU ReLU6 LeakyReLU PReLU ELU SELU CELU GELU SiLU Mish Tanh Sigmoid Softplus Hardswish "
        "relu relu6 leaky_relu elu selu celu gelu silu mish tanh sigmoid softplus hardswish"
    )
)
_LOSSES: Final = frozenset({"cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"})


def signature(name: str) -> Signature | None:
    """The signature of a callable by its qualified name; None where it sets no knob through an argument."""
    if kind(name) == "optimizer":
        return _SIGNATURES.get(name, Signature(("params", "lr"), _OPTIMIZER_KNOBS))
    return _SIGNATURES.get(name)


def kind(name: str) -> str | None:
    """The knob that the choice of a class or function is itself: "optimizer" for `torch.optim.SGD`, and so on."""
    room, _, last = name.rpartition(".")
    if room + "." == OPTIMIZERS and last[0].isupper():
        return "optimizer"
    if room + "." == SCHEDULERS:
        return "scheduler"
    if room not in ("torch", "torch.nn", "torch.nn.functional"):
        return None
    if last in _ACTIVATIONS:
        return "activation"
    if room == "torch.nn" and "Norm" in last:
        return "normalization"
    if room != "torch" and (last.endswith(("Loss", "_loss")) or last in _LOSSES):
        return "loss"
    return None
