"""What a Snapshot says in terms of the canonical knobs, and which knobs tell two Snapshots apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pydantic import JsonValue

from progtrain.records import Call, Layer, OptimizerSettings, Snapshot
from progtrain.script.settings.schedules import same_schedules


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Functions by what they are to a network; any other op of the first step is `computation`.
ACTIVATIONS: Final = _words(
    "relu relu6 gelu silu mish elu selu celu leaky_relu prelu rrelu hardtanh hardswish hardsigmoid tanh sigmoid "
    "softplus softsign glu logsigmoid tanhshrink softshrink hardshrink threshold"
)
NORMALIZATIONS: Final = _words("batch_norm layer_norm group_norm instance_norm rms_norm local_response_norm")
LOSSES: Final = _words("cross_entropy binary_cross_entropy binary_cross_entropy_with_logits kl_div")
#: Compare scores of classes, or their logarithmic shares, with class numbers.
CLASS_LOSSES: Final = _words("cross_entropy nll_loss")
_PARAMETRIC: Final = _words(
    "linear bilinear embedding embedding_bag lstm gru rnn_tanh rnn_relu multi_head_attention_forward "
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d"
)
_WIDTHS: Final = _words(
    "in_features out_features in1_features in2_features in_channels out_channels num_embeddings embedding_dim "
    "input_size hidden_size embed_dim kdim vdim d_model dim_feedforward"
)
#: Not scalars that shape what is computed: bookkeeping of the functions themselves, or widths.
_INCIDENTAL: Final = _words("inplace training normalized_shape _stacklevel size_average reduce")
#: Of a layer, but knobs of their own.
_NOT_STRUCTURE: Final = _WIDTHS | {"dropout"}
_OWN_KNOB: Final = _words("lr momentum nesterov betas weight_decay parameters")
_PLAIN_SAMPLERS: Final = frozenset({"RandomSampler", "SequentialSampler"})


def knob_values(snapshot: Snapshot) -> dict[str, JsonValue]:
    """Project a Snapshot onto the canonical knobs of `progtrain.knobs.FAMILY`.

    Args:
        snapshot: what a script was about to train.

    Returns:
        Knob -> value; a scalar where there is one optimizer and its parameter groups agree, a list over all groups
        otherwise, None where the script has no such thing. `initialization` names what is not torch's own, and
        `augmentation` the calls that prepare a training batch before the forward pass.
    """
    return {
        **_optimizer_knobs(snapshot.optimizers),
        **_network_knobs(snapshot),
        **_data_knobs(snapshot),
        **_trainer_knobs(snapshot),
    }


def differing(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The knobs that tell two Snapshots apart.

    A scheduler's rates are also compared as multiples of the optimizer's, and its durations as shares of the whole
    training: with `max_lr=3 * LR`, a change of LR is a change of `lr` alone.
    """
    first, second = knob_values(before), knob_values(after)
    changed = {knob for knob in first if first[knob] != second[knob]}
    if "scheduler" in changed and same_schedules(before, after):
        changed.remove("scheduler")
    return frozenset(changed)


def described(name: str, arguments: dict[str, JsonValue]) -> str:
    """A call or a callback as a person would write it: `gelu(approximate='none')`, `relu`."""
    written = ", ".join(f"{key}={value!r}" for key, value in sorted(arguments.items()) if value is not None)
    return f"{name}({written})" if written else name


def described_losses(calls: Iterable[Call]) -> tuple[str, ...]:
    """The losses among some calls, with everything that decides their value."""
    return tuple(
        described(call.function, {**_scalars(call), **_further(call)}) for call in calls if is_loss(call.function)
    )


def is_loss(function: str) -> bool:
    """Whether a function of torch.nn.functional is a loss."""
    return function in LOSSES or function.endswith("_loss")


def _one_or_all(values: Iterable[JsonValue]) -> JsonValue:
    every = list(values)
    if not every:
        return None
    return every[0] if len(every) == 1 else every


def _shared_or_all(values: Iterable[JsonValue]) -> JsonValue:
    """One value where all are the same: splitting parameters into groups alone does not change a rate."""
    every = list(values)
    return every[0] if every and all(value == every[0] for value in every) else _one_or_all(every)


# --- optimizer ----------------------------------------------------------------------------------


def _optimizer_knobs(optimizers: tuple[OptimizerSettings, ...]) -> dict[str, JsonValue]:
    groups = [group for optimizer in optimizers for group in optimizer.groups]
    options: list[JsonValue] = [{k: v for k, v in group.items() if k not in _OWN_KNOB} for group in groups]
    return {
        "optimizer": _one_or_all(optimizer.type for optimizer in optimizers),
        "parameter_groups": _one_or_all(len(optimizer.groups) for optimizer in optimizers),
        **{
            knob: _shared_or_all(group.get(knob) for group in groups)
            for knob in ("lr", "momentum", "nesterov", "betas", "weight_decay")
        },
        "optimizer_options": _shared_or_all(options),
    }


# --- network ------------------------------------------------------------------------------------


def _network_knobs(snapshot: Snapshot) -> dict[str, JsonValue]:
    calls = _forward_calls(snapshot)
    losses = [call for call in calls if is_loss(call.function)]
    layers = [layer for layer in snapshot.layers if layer.parameters and not _is_elementwise(layer)]
    return {
        "dropout": [*_dropouts(snapshot)],
        "normalization": _names(snapshot, NORMALIZATIONS, lambda layer: "Norm" in layer.type),
        "activation": _names(snapshot, ACTIVATIONS, lambda layer: layer.type.lower() in ACTIVATIONS),
        "layers": [
            described(layer.type, {k: v for k, v in layer.arguments.items() if k not in _NOT_STRUCTURE})
            for layer in layers
        ],
        "width": [[v for k, v in layer.arguments.items() if k in _WIDTHS] for layer in layers],
        "loss": _one_or_all(_loss(call) for call in losses),
        "label_smoothing": _one_or_all(
            call.arguments["label_smoothing"] for call in losses if "label_smoothing" in call.arguments
        ),
        "computation": [call.function for call in calls if _is_computation(call.function)],
        "initialization": [*snapshot.initialization],
    }


def _forward_calls(snapshot: Snapshot) -> tuple[Call, ...]:
    return tuple(call for call in snapshot.calls if not call.before_forward)


def _is_elementwise(layer: Layer) -> bool:
    return "Norm" in layer.type or layer.type == "PReLU"


def _is_computation(function: str) -> bool:
    named = function in ACTIVATIONS or function in NORMALIZATIONS or function in _PARAMETRIC
    return not (named or is_loss(function) or "dropout" in function)


def _dropouts(snapshot: Snapshot) -> list[JsonValue]:
    if not snapshot.calls:
        return [layer.arguments.get("p") for layer in snapshot.layers if "Dropout" in layer.type]
    functional = [
        call.arguments.get("p") if "dropout" in call.function else call.arguments["dropout_p"]
        for call in _forward_calls(snapshot)
        if call.arguments.get("training") is not False
        and ("dropout" in call.function or call.arguments.get("dropout_p"))
    ]
    # A recurrent layer's dropout is an argument of one fused call that has no Python signature to read it from.
    recurrent = [layer.arguments["dropout"] for layer in snapshot.layers if layer.arguments.get("dropout")]
    return [*functional, *recurrent]


def _names(snapshot: Snapshot, functions: frozenset[str], is_such: Callable[[Layer], bool]) -> list[JsonValue]:
    if not snapshot.calls:
        return [layer.type for layer in snapshot.layers if is_such(layer)]
    return [described(call.function, _scalars(call)) for call in _forward_calls(snapshot) if call.function in functions]


def _scalars(call: Call) -> dict[str, JsonValue]:
    return {key: value for key, value in call.arguments.items() if key not in _INCIDENTAL}


def _loss(call: Call) -> str:
    scalars = {key: value for key, value in _scalars(call).items() if key != "label_smoothing"}
    return described(call.function, {**scalars, **_further(call)})


def _further(call: Call) -> dict[str, JsonValue]:
    """Class weights are a third tensor beside outputs and targets."""
    return {"tensors": len(call.shapes)} if len(call.shapes) != 2 else {}


# --- data and trainer ---------------------------------------------------------------------------


def _data_knobs(snapshot: Snapshot) -> dict[str, JsonValue]:
    train = snapshot.train
    augmentation: list[JsonValue] = [call.function for call in snapshot.calls if call.before_forward]
    if train is None:
        return {
            **dict.fromkeys(("batch_size", "shuffle", "sampler", "workers", "train_data")),
            "augmentation": augmentation,
        }
    return {
        "augmentation": augmentation,
        "batch_size": train.batch_size,
        "shuffle": train.shuffle,
        "sampler": None if train.sampler in _PLAIN_SAMPLERS else train.sampler,
        "workers": train.workers,
        "train_data": [train.size, train.fingerprint],
    }


def _trainer_knobs(snapshot: Snapshot) -> dict[str, JsonValue]:
    stopping = [name for name in snapshot.callbacks if name.startswith("EarlyStopping")]
    averaging = [name for name in snapshot.callbacks if "Averaging" in name.partition("(")[0]]
    others = [name for name in snapshot.callbacks if name not in stopping and name not in averaging]
    clip = snapshot.gradient_clip_val
    return {
        "scheduler": _one_or_all(scheduler.model_dump(mode="json") for scheduler in snapshot.schedulers),
        "epochs": snapshot.max_epochs,
        "max_steps": snapshot.max_steps if snapshot.max_steps > 0 else None,
        "accumulate": snapshot.accumulate_grad_batches,
        "gradient_clip": [clip, snapshot.gradient_clip_algorithm] if clip else None,
        "precision": snapshot.precision,
        "seed": snapshot.seed,
        "monitor": _one_or_all(checkpoint.monitor for checkpoint in snapshot.checkpoints if checkpoint.monitor),
        "callbacks": [*others],
        "early_stopping": _one_or_all(stopping),
        "averaging": _one_or_all(averaging),
    }
