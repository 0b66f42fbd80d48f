"""The canonical names of everything a version may change, and other people's spellings of them."""

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
