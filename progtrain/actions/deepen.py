"""One more hidden layer, as wide as the last one."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pydantic import JsonValue

from progtrain.actions._structural import Binding, StructuralAction
from progtrain.actions.base import Situation, changed
from progtrain.errors import EditError
from progtrain.script.reading.hidden import CalledLayer, HiddenLayer, ListedLayer, hidden_layers
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild


class Deepen(StructuralAction):
    """Repeat the last hidden block: linear layer, normalization, activation and dropout."""

    family = "capacity"
    touches = frozenset({"layers", "width", "activation", "normalization", "dropout"})
    answers = ("underfitting", "benign-gap")
    risk = "medium"
    probability = 0.45
    gain = 0.15
    goal = "Give the network one more step of composition"
    expected_impact = "The training loss ends lower, and the validation loss follows"
    verification = "The training loss at the end is below the parent's"

    def bind(self, situation: Situation) -> Binding:
        """See StructuralAction."""
        script = ParsedScript(situation.anatomy.source)
        hidden = _last_linear(script)
        touches = {"layers", "width", "activation"}
        names = {script.called(element) for element in _block(hidden)} if isinstance(hidden, ListedLayer) else set()
        touches |= {knob for knob, part in (("normalization", "Norm"), ("dropout", "Dropout")) if _any_in(names, part)}
        return Binding(
            parameters={"hidden_layers": len(hidden_layers(script))},
            change=f"one more hidden layer behind line {hidden.layer.lineno}, as wide",
            touches=frozenset(touches),
        )

    def apply(self, source: str, parameters: Mapping[str, JsonValue]) -> str:
        """See Action."""
        script = ParsedScript(source)
        count, expected = len(hidden_layers(script)), parameters["hidden_layers"]
        if count != expected:
            raise EditError(
                f"Expected {expected} hidden layers, found {count}. The script is not the one it was meant for."
            )
        match _last_linear(script):
            case ListedLayer() as listed:
                edits = _repeat_listed(listed)
            case CalledLayer() as called:
                edits = _repeat_called(called)
            case hidden:
                raise EditError(f"Line {hidden.layer.lineno}: this way of writing layers is not understood.")
        return changed(source, rebuild(source, edits), self.name)


def _any_in(names: set[str], part: str) -> bool:
    return any(part in name for name in names)


def _last_linear(script: ParsedScript) -> HiddenLayer:
    linear = [hidden for hidden in hidden_layers(script) if hidden.kind == "Linear"]
    if not linear:
        raise EditError("Expected a hidden Linear layer, found none. Nothing to repeat.")
    if script.within(linear[-1].layer, ast.For) is not None:
        raise EditError(f"Line {linear[-1].layer.lineno}: a loop makes the layers. Change the list that it runs over.")
    return linear[-1]


def _block(hidden: ListedLayer) -> tuple[ast.expr, ...]:
    elements = hidden.modules.elements
    end = hidden.activation_index + 1
    while end < len(elements) and "Dropout" in hidden.script.called(elements[end]):
        end += 1
    return elements[hidden.layer_index : end]


def _square_layer(hidden: HiddenLayer) -> str:
    """The layer's text with its output size in the place of its input size."""
    script, inputs, outputs = hidden.script, hidden.input_size, hidden.output_size
    if inputs is None or outputs is None:
        raise EditError(f"Line {hidden.layer.lineno}: expected the layer's two sizes, found fewer. Write both.")
    start = script.start(hidden.layer)
    size = Edit(script.start(inputs) - start, script.end(inputs) - start, script.text(outputs))
    return rebuild(script.text(hidden.layer), [size])


def _repeat_listed(hidden: ListedLayer) -> tuple[Edit, ...]:
    block = _block(hidden)
    texts = (_square_layer(hidden), *(hidden.script.text(element) for element in block[1:]))
    return hidden.modules.insert_after(hidden.layer_index + len(block) - 1, texts)


def _repeat_called(hidden: CalledLayer) -> tuple[Edit, ...]:
    script, attribute = hidden.script, f"{hidden.attribute}b"
    statement = script.parent(hidden.activation)
    if attribute in hidden.taken:
        raise EditError(f"Line {hidden.statement.lineno}: self.{attribute} is taken. Rename that attribute.")
    match statement, hidden.activation:
        case ast.Assign(targets=[ast.Name(id=name)]), ast.Call(args=[argument, *_]) if argument is hidden.call:
            start = script.start(statement)
            call = Edit(script.start(argument) - start, script.end(argument) - start, f"self.{attribute}({name})")
            again = rebuild(script.text(statement), [call])
        case _:
            line = hidden.activation.lineno
            raise EditError(f"Line {line}: expected `x = activation(self.{hidden.attribute}(x))`. Write it so.")
    hold = script.new_line_after(hidden.statement, f"self.{attribute} = {_square_layer(hidden)}")
    return hold, script.new_line_after(statement, again)
