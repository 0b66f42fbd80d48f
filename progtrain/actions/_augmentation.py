"""What the actions that vary the training batch have in common: a function, called first in the training step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from progtrain.actions._batch import input_shape, require_other_targets
from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.records import Snapshot
from progtrain.script.editing.edit import add_import, reference
from progtrain.script.reading.lightning_module import find_module
from progtrain.script.reading.structure import ParsedScript, rebuild
from progtrain.script.settings.knob_values import CLASS_LOSSES, is_loss

#: Shorter signals have too few neighbours for a place or a stretch to mean anything.
SHORTEST_SIGNAL = 16


class Augmentation(StructuralAction):
    """Vary every training batch at random before the model sees it; validation batches stay as they are.

    Attributes:
        uses_functional: whether `function` wants a name for torch.nn.functional.
    """

    family = "data"
    touches = frozenset({"augmentation"})
    answers: ClassVar[tuple[str, ...]] = ("overfitting",)
    risk = "low"
    expected_impact = "The training loss ends higher, and the best validation loss lower"
    verification = "The gap between validation and training loss at the end is below the parent's"
    uses_functional: ClassVar[bool] = False

    @abstractmethod
    def settings(self, situation: Situation) -> dict[str, JsonValue]:
        """The numbers that `function` is written with.

        Raises:
            EditError: such batches would not keep their meaning.
        """

    @abstractmethod
    def function(self, settings: Mapping[str, JsonValue], functional: str) -> str:
        """Source of a function of inputs and targets that returns both.

        Args:
            settings: as `settings` gave them.
            functional: the script's name for torch.nn.functional, where `uses_functional`.
        """

    @abstractmethod
    def described(self, settings: Mapping[str, JsonValue]) -> str:
        """The change in words."""

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        require_other_targets(situation.snapshot)
        settings = self.settings(situation)
        return Binding(settings, self.described(settings), self.touches)

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        source = add_import(source, "torch")
        functional = ""
        if self.uses_functional:
            source, functional = reference(source, "torch.nn.functional")
        module = find_module(ParsedScript(source))
        function = self.function(parameters, functional)
        if len(module.training_step.args.args) < 2:
            raise EditError(
                f"Line {module.training_step.lineno}: expected training_step(self, batch, ...). Write it so."
            )
        batch, name = module.training_step.args.args[1].arg, function.removeprefix("def ").partition("(")[0]
        edits = [module.define(function), module.begin(module.training_step, f"{batch} = {name}(*{batch})")]
        return changed(source, rebuild(source, edits), self.name)


def require_classification(snapshot: Snapshot) -> None:
    """Check that targets are classes, which a changed place or size of what is seen leaves as they are.

    Raises:
        EditError: the loss is another than one cross entropy, or a sample has several classes, each at a place.
    """
    losses = [call for call in snapshot.calls if is_loss(call.function)]
    if len(losses) != 1 or losses[0].function not in CLASS_LOSSES:
        found = [call.function for call in losses] or "none"
        raise EditError(f"targets may not survive it: expected one cross entropy as the loss, got {found}")
    if any(len(shape) > 2 for shape in losses[0].shapes) or _targets_have_places(snapshot):
        raise EditError("targets may not survive it: a sample has a class at each of several places")


def _targets_have_places(snapshot: Snapshot) -> bool:
    """Whether the targets of a batch are class numbers in rows."""
    match snapshot.batch:
        case [_, {"shape": [int(), int(), *_], "dtype": str(dtype)}]:
            return "int" in dtype
    return False


def flat_image_side(situation: Situation) -> int | None:
    """Side of the square images that lie flat in the inputs, row by row; None where they are no such images."""
    shape = input_shape(situation.snapshot)
    finding = situation.finding("local-structure")
    side = 0 if finding is None else int(finding.numbers.get("side", 0))
    for call in situation.snapshot.calls:
        if call.function == "conv2d" and len(call.shapes[0]) == 4 and call.shapes[0][2] == call.shapes[0][3]:
            side = side or call.shapes[0][3]
    return side if len(shape) == 2 and shape[1] == side * side else None


def signal_length(situation: Situation) -> int:
    """Length of the inputs' last axis, where neighbours on it belong together.

    Raises:
        EditError: the inputs are no signals and no images, or too short.
    """
    if (side := flat_image_side(situation)) is not None:
        raise EditError(f"the inputs are flat images of {side} by {side}, whose last axis is no line")
    length = input_shape(situation.snapshot)[-1]
    convolves = any(call.function.startswith("conv") for call in situation.snapshot.calls)
    if not convolves and situation.finding("local-structure") is None:
        raise EditError(
            "the inputs are no signals or images: no layer convolves, and neighbours are not known to agree"
        )
    if length < SHORTEST_SIGNAL:
        raise EditError(f"the last axis has {length} values, fewer than {SHORTEST_SIGNAL}")
    return length
