"""The canonical names of everything a version may change, and what other people call them, singly and in groups."""

from __future__ import annotations

import difflib
from typing import Final

#: Canonical knob -> the family it belongs to.
FAMILY: Final[dict[str, str]] = {
    "optimizer": "optimizer",
    "momentum": "optimizer",
    "nesterov": "optimizer",
    "betas": "optimizer",
    "optimizer_options": "optimizer",
    "parameter_groups": "optimizer",
    "lr": "rate",
    "scheduler": "schedule",
    "weight_decay": "regularization",
    "dropout": "regularization",
    "label_smoothing": "regularization",
    "averaging": "regularization",
    "early_stopping": "regularization",
    "normalization": "normalization",
    "width": "capacity",
    "layers": "capacity",
    "computation": "capacity",
    "activation": "activation",
    "initialization": "initialization",
    "loss": "loss",
    "shuffle": "data",
    "sampler": "data",
    "augmentation": "data",
    "train_data": "data",
    "workers": "loading",
    "batch_size": "batch",
    "accumulate": "batch",
    "gradient_clip": "clip",
    "epochs": "epochs",
    "max_steps": "epochs",
    "precision": "precision",
    "seed": "seed",
    "monitor": "bookkeeping",
    "callbacks": "bookkeeping",
}

_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "lr": ("learning_rate", "init_lr", "initial_lr", "base_lr", "max_lr"),
    "batch_size": ("bs", "batchsize", "train_batch_size", "per_device_train_batch_size"),
    "epochs": ("max_epochs", "num_epochs", "n_epochs", "num_train_epochs"),
    "max_steps": ("steps", "num_steps", "train_steps"),
    "weight_decay": ("wd", "l2", "l2_penalty"),
    "optimizer": ("optim", "optimiser", "optimizer_name"),
    "scheduler": ("lr_scheduler", "schedule", "lr_schedule"),
    "dropout": ("dropout_rate", "drop", "p_drop", "dropout_p"),
    "label_smoothing": ("smoothing", "label_smooth"),
    "gradient_clip": ("gradient_clip_val", "grad_clip", "clip", "max_grad_norm", "clip_grad_norm"),
    "accumulate": ("accumulate_grad_batches", "gradient_accumulation_steps", "grad_accum"),
    "width": ("hidden", "hidden_size", "hidden_dim", "d_model", "n_hidden", "num_hidden"),
    "layers": ("depth", "num_layers", "n_layers", "architecture"),
    "activation": ("act", "activation_fn", "nonlinearity"),
    "normalization": ("norm", "norm_layer"),
    "loss": ("loss_fn", "criterion", "loss_function"),
    "workers": ("num_workers", "dataloader_num_workers"),
    "seed": ("random_seed", "random_state"),
    "precision": ("amp", "mixed_precision", "dtype"),
    "augmentation": ("augment", "augmentations", "data_augmentation"),
    "momentum": ("sgd_momentum",),
    "betas": ("adam_betas",),
}

_CANONICAL: Final[dict[str, str]] = {
    **{knob: knob for knob in FAMILY},
    **{spelling: knob for knob, spellings in _SPELLINGS.items() for spelling in spellings},
}


def _family(*names: str) -> frozenset[str]:
    return frozenset(knob for knob, family in FAMILY.items() if family in names)


_ARCHITECTURE: Final = _family("capacity", "normalization", "activation") | {"dropout"}

#: What people call a group of knobs, beside the names of the families.
TOPICS: Final[dict[str, frozenset[str]]] = {
    **{family.replace("_", " "): _family(family) for family in set(FAMILY.values())},
    "optimiser": _family("optimizer"),
    "optimization": _family("optimizer", "rate", "schedule"),
    "learning rate": frozenset({"lr"}),
    "learning rate schedule": frozenset({"scheduler"}),
    "learning rate scheduler": frozenset({"scheduler"}),
    "architecture": _ARCHITECTURE,
    "model": _ARCHITECTURE,
    "network": _ARCHITECTURE,
    "model architecture": _ARCHITECTURE,
    "network architecture": _ARCHITECTURE,
    "model size": _family("capacity"),
    "layer": frozenset({"layers", "computation"}),
    "normalisation": frozenset({"normalization"}),
    "normalisation layer": frozenset({"normalization"}),
    "normalization layer": frozenset({"normalization"}),
    "batch norm": frozenset({"normalization"}),
    "batch normalization": frozenset({"normalization"}),
    "layer norm": frozenset({"normalization"}),
    "regularisation": _family("regularization"),
    "data augmentation": frozenset({"augmentation"}),
    "training data": _family("data"),
    "dataset": _family("data"),
    "loss function": frozenset({"loss"}),
    "number of epochs": frozenset({"epochs", "max_steps"}),
    "training length": frozenset({"epochs", "max_steps"}),
    "gradient clipping": frozenset({"gradient_clip"}),
    "gradient accumulation": frozenset({"accumulate"}),
    "mixed precision": frozenset({"precision"}),
    "activation function": frozenset({"activation"}),
    "random seed": frozenset({"seed"}),
    "early stopping": frozenset({"early_stopping"}),
    "weight averaging": frozenset({"averaging"}),
    "weight initialization": frozenset({"initialization"}),
}


def canonical(spelling: str) -> str | None:
    """The canonical knob that a key of `training_config` means; None where no knob goes by that name."""
    return _CANONICAL.get(spelling.strip().lower().replace("-", "_"))


def nearest(spelling: str) -> str | None:
    """The known spelling closest to an unknown one, to be offered in a message."""
    matches = difflib.get_close_matches(spelling.lower(), list(_CANONICAL), n=1)
    return matches[0] if matches else None


def spellings(knob: str) -> tuple[str, ...]:
    """Every spelling that means `knob`, the canonical one first."""
    return (knob, *_SPELLINGS.get(knob, ()))


def group(name: str) -> frozenset[str]:
    """The knobs that a family, a topic ("architecture") or any spelling of a knob stands for, singular or plural.

    A name of a family and of a knob, like `optimizer`, is the family. Empty where nothing goes by that name.
    """
    words = name.strip().lower().replace("_", " ").replace("-", " ")
    for spelling in (words, words.removesuffix("s"), words.removesuffix("es")):
        if spelling in TOPICS:
            return TOPICS[spelling]
        knob = canonical(spelling.replace(" ", "_"))
        if knob is not None:
            return frozenset({knob})
    return frozenset()
