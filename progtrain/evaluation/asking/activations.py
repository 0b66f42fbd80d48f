"""How many units of a trained model are dead: zero behind their ReLU whatever the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from progtrain.evaluation.asking.inference import forward
from progtrain.evaluation.yardstick.batches import Batch
from progtrain.records import Call

_SAMPLES: Final = 512
"""A unit that is zero on so many samples is hardly ever anything else."""
_RECTIFIERS: Final = ("relu", "relu_")


def dead_shares(
    model: nn.Module, batches: Iterable[Batch], device: torch.device, calls: Sequence[Call]
) -> tuple[float, ...]:
    """Ask the model once more for its first samples, up to 512, and look behind every ReLU.

    Args:
        model: on `device`, in evaluation mode.
        batches: of the validation set.
        device: where the model is.
        calls: of its first training step; where no ReLU is among them, the model is not asked.

    Returns:
        For every ReLU in the order of the forward pass, the share of its units (features, channels) that are zero on
        all of those samples. Empty where there is no ReLU, and where the pass fails: it is no part of any score.
    """
    if not any(call.function == "relu" for call in calls):
        return ()
    recorder, seen = _Recorder(), 0
    try:
        with torch.inference_mode(), torch.compiler.set_stance("force_eager"), recorder:
            for batch in batches:
                recorder.begins()
                forward(model, batch.to(device).inputs)
                seen += len(batch)
                if seen >= _SAMPLES:
                    break
    except Exception:  # noqa: BLE001 - a user's model may fail in any way; the pass that is scored tells of it
        return ()
    return recorder.shares()


class _Recorder(TorchFunctionMode):
    """Remembers of every ReLU's results which of their units were ever above zero."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: dict[tuple[int, int], Tensor] = {}
        self._calls = 0

    def begins(self) -> None:
        """A forward pass begins: its first ReLU is the one that came first in the others."""
        self._calls = 0

    def shares(self) -> tuple[float, ...]:
        """Of dead units, a ReLU at a time."""
        axes: dict[int, list[float]] = {}
        for (call, _), alive in self._alive.items():
            axes.setdefault(call, []).append(1 - float(alive.float().mean()))
        return tuple(max(shares) for _, shares in sorted(axes.items()))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **dict(kwargs or {}))
        if getattr(func, "__name__", "") in _RECTIFIERS and result.dim() > 1:
            # Features are on axis 1, those of a sequence [B, T, F] on the last; the other axis is never dead alone.
            for axis in {1, result.dim() - 1}:
                self._note(result, axis)
            self._calls += 1
        return result

    def _note(self, result: Tensor, axis: int) -> None:
        alive = (result > 0).transpose(0, axis).flatten(1).any(dim=1).cpu()
        before = self._alive.get((self._calls, axis))
        same = before is not None and before.shape == alive.shape  # sequences differ in their lengths
        self._alive[self._calls, axis] = before | alive if before is not None and same else alive
