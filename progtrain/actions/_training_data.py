"""What the actions that set a model's tensors from the training data have in common."""

from __future__ import annotations

from progtrain.script.reading.lightning_module import ModuleText
from progtrain.script.reading.structure import Edit


def filled_before_fit(module: ModuleText, name: str, docstring: str, lines: tuple[str, ...]) -> tuple[Edit, ...]:
    """The edits that define `name(model)` and call it once before fitting.

    Args:
        module: the script's.
        name: of the function.
        docstring: its sentence.
        lines: that set the model's tensors, from `batches`: the training loader's, pairs of inputs and targets.

    Raises:
        EditError: the name is taken, or the module's `setup` cannot take the call.
    """
    # Lightning loads the data only once fitting has begun, unless it is asked to.
    body = ("model.trainer.fit_loop.setup_data()", "batches = model.trainer.train_dataloader", *lines)
    text = "\n    ".join((f"def {name}(model):", f'"""{docstring}"""', *body))
    return module.define(text), module.in_setup(f"{name}(self)")
