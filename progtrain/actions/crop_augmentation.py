"""Random crops of padded samples: what is seen is moved, and a border is missing (He et al., arXiv 1512.03385)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from progtrain.actions._augmentation import Augmentation, require_classification, signal_length
from progtrain.actions._batch import input_shape
from progtrain.actions.base import Situation
from progtrain.errors import EditError

#: The padding is an 8th of the size: 4 of an image's 32, as there.
_SHARE: Final = 8
_SMALLEST_IMAGE: Final = 8
_HEAD: Final = '''\
def randomly_cropped(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each sample padded by {padding} zeros on every side and cut to its size at a random place."""
'''
_SIGNALS: Final = """\
    width = inputs.shape[-1]
    padded = {functional}.pad(inputs, ({padding}, {padding}))
    begins = torch.randint({places}, (len(inputs),)).tolist()
    crops = [sample[..., left : left + width] for sample, left in zip(padded, begins, strict=True)]
    return torch.stack(crops), targets"""
_IMAGES: Final = """\
    height, width = inputs.shape[-2:]
    padded = {functional}.pad(inputs, ({padding}, {padding}, {padding}, {padding}))
    corners = torch.randint({places}, (len(inputs), 2)).tolist()
    crops = [
        sample[:, top : top + height, left : left + width] for sample, (top, left) in zip(padded, corners, strict=True)
    ]
    return torch.stack(crops), targets"""


class CropAugmentation(Augmentation):
    """Pad every training sample with zeros and cut it to its size at a random place."""

    answers = ("overfitting", "benign-gap", "no-augmentation")
    probability = 0.5
    gain = 0.1
    goal = "Show every sample at many places and without parts of its border, so that neither is learnt by heart"
    uses_functional = True

    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """See Augmentation."""
        require_classification(situation.snapshot)
        shape = input_shape(situation.snapshot)
        images = len(shape) == 4 and any(call.function == "conv2d" for call in situation.snapshot.calls)
        size = min(shape[-2:]) if images else signal_length(situation)
        if size < _SMALLEST_IMAGE:
            raise EditError(f"the images are {size} pixels high or wide, fewer than {_SMALLEST_IMAGE}")
        return {"padding": max(1, size // _SHARE), "images": images}

    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """See Augmentation."""
        return f"training samples are padded by {settings['padding']} on every side and cut to size at random"

    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """See Augmentation."""
        padding = settings["padding"]
        assert isinstance(padding, int)
        body = _IMAGES if settings["images"] else _SIGNALS
        return (_HEAD + body).format(padding=padding, places=2 * padding + 1, functional=functional)
