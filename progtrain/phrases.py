"""The phrases of user_instruction.md that a machine can hold: ways of saying keep, change only, use, never."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Names of values -> the knob that has them, and how it is written in a Snapshot.
VALUES: Final[dict[str, tuple[str, str]]] = {
    **{
        name.lower(): ("optimizer", name)
        for name in ("SGD", "Adam", "AdamW", "RMSprop", "NAdam", "RAdam", "Adagrad", "Adadelta", "Adamax", "LBFGS")
    },
    **{name: ("activation", name) for name in ("relu", "gelu", "silu", "elu", "selu", "mish", "tanh", "sigmoid")},
    "swish": ("activation", "silu"),
    "leaky relu": ("activation", "leaky_relu"),
    "batch norm": ("normalization", "batch_norm"),
    "batch normalization": ("normalization", "batch_norm"),
    "layer norm": ("normalization", "layer_norm"),
    "layer normalization": ("normalization", "layer_norm"),
    "one cycle": ("scheduler", "OneCycleLR"),
    "onecycle": ("scheduler", "OneCycleLR"),
    "cosine": ("scheduler", "CosineAnnealingLR"),
    "cosine annealing": ("scheduler", "CosineAnnealingLR"),
}

#: Knobs that a script can be without.
OPTIONAL: Final = frozenset(
    {"dropout", "label_smoothing", "weight_decay", "momentum", "nesterov", "scheduler", "normalization", "augmentation"}
    | {"averaging", "early_stopping", "gradient_clip", "sampler", "shuffle"}
)

_CHANGE: Final = "change|touch|modify|alter|tune|adjust|vary|replace|edit|switch|swap|tweak|experiment with|play with"
_ADD: Final = "add|introduce|insert|try"
_USE: Final = "use|apply"
_CHANGING: Final = (
    "changing|touching|modifying|altering|tuning|adjusting|varying|replacing|editing|switching|swapping|tweaking"
    "|experimenting with|playing with|changes? (?:to|in|of)|modifications? (?:to|of)"
)
_NEVER: Final = (
    r"(?:(?:you|we|it) )?(?:do not|don't|never|must not|must never|mustn't|cannot|can not|can't|should not|should never"
    r"|shouldn't|may not|may never|shall not|are not allowed to|is forbidden to|is not allowed to)(?: ever)?"
)
_AS_IS: Final = "fixed|as is|as it is|as they are|unchanged|alone|the same|constant|frozen|untouched|where it is"
_PASSIVE: Final = "changed|touched|modified|altered|tuned|adjusted|replaced"
_MAY: Final = r"(?:(?:you|we) (?:may|can|could|might|are (?:free|allowed) to)|feel free to|it is (?:fine|ok|okay) to)"


@dataclass(frozen=True)
class Form:
    """A way of saying something, and what that makes of the knobs named in it.

    Args:
        effect: `free` limits nothing but its exceptions, `only` holds all others, `keep` holds them, `none` holds
            them and wants none of them there, `value` holds them at values.
    """

    effect: str
    pattern: re.Pattern[str]


def _form(effect: str, pattern: str) -> Form:
    return Form(effect, re.compile(rf"^(?:{pattern})$"))


#: In the order in which they are tried: permissions before prohibitions, so that none is taken for one.
FORMS: Final = (
    _form("only", rf"(?:{_MAY} )?(?:only (?:{_CHANGE}|{_ADD}|{_USE})|(?:{_CHANGE}) only) (?P<what>.+)"),
    _form("only", rf"only (?P<what>.+?) (?:may|can|should|is allowed to|are allowed to) (?:change|be (?:{_PASSIVE}))"),
    _form("free", rf"{_MAY} (?:also |freely )?(?:{_CHANGE}|{_ADD}|{_USE}|drop|remove) (?P<what>.+)"),
    _form("free", r"(?:do not|don't) (?:hesitate|be afraid) to (?P<what>.+)"),
    _form("free", r"(?:there is )?no need to (?P<what>.+)"),
    _form("free", r"(?:(?:you|we) )?(?:do not|don't) (?:need|have) to (?P<what>.+)"),
    _form("keep", rf"(?:no|neither) (?P<what>.+?) (?:may|can|should|must) (?:ever )?(?:change|be (?:{_PASSIVE}))"),
    _form("keep", rf"(?P<what>nothing) (?:may|can|should|must) (?:ever )?(?:change|be (?:{_PASSIVE}))"),
    _form("free", rf"(?P<what>.+?) (?:may|can) (?:freely )?(?:change|vary|be (?:freely )?(?:{_PASSIVE}))(?: freely)?"),
    _form("keep", rf"{_NEVER} (?:{_CHANGE}|{_ADD}) (?P<what>.+)"),
    _form("keep", rf"(?:avoid|without|no|stop|refrain from) (?:any )?(?:{_CHANGING}) (?P<what>.+)"),
    _form("keep", rf"(?:{_CHANGING}) (?P<what>.+?) (?:is|are) (?:forbidden|not allowed|prohibited|off limits)"),
    _form("keep", r"no (?P<what>.+?) (?:change|tweak|modification|switch|replacement|edit)s?"),
    _form("keep", r"(?:change|touch|modify) (?P<what>nothing)"),
    _form("keep", rf"(?:keep|leave|freeze|fix|lock|preserve|hold|retain) (?P<what>.+?)(?: (?:{_AS_IS}))?"),
    _form("keep", r"(?:stick|stay) (?:with|to) (?:the|our|my) (?P<what>.+)"),
    _form("keep", r"use (?:the|our|my) (?:same|current|existing|original|given) (?P<what>.+)"),
    _form("keep", rf"(?P<what>.+?) (?:is|are) (?:{_AS_IS}|locked|given|off limits|not to be (?:{_PASSIVE}))"),
    _form(
        "keep",
        r"(?P<what>.+?) (?:must|should|has to|have to|is to|are to|shall) (?:stay|remain|be kept|be left|be|not change)"
        rf"(?: (?:{_AS_IS}))",
    ),
    _form(
        "keep",
        r"(?P<what>.+?) (?:must|should|shall|may|can)(?:not|n't| not| never) (?:ever )?"
        rf"(?:change|vary|be (?:{_PASSIVE}))",
    ),
    _form("keep", r"(?P<what>.+?) (?:must|should|has to|have to) (?:stay|remain)"),
    _form("none", rf"(?:{_NEVER} (?:{_USE})|avoid|avoid using|without|without using|no|not|forbid) (?P<what>.+)"),
    _form(
        "value",
        r"(?:always |only )?(?:use|train with|train using|apply|set|optimi[sz]e with|stick (?:to|with)|stay with"
        r"|use only|keep|fix|hold|lock|leave|freeze) (?P<what>.+)",
    ),
    _form("value", r"train for (?P<what>[\d,]+ epochs?)"),
    _form("value", r"(?P<what>(?:the )?[a-z _-]+?(?: ?[:=]| is| must be| should be| has to be) .+)"),
)

#: Whoever says this means a bound, a condition or a measure, which no lock can hold.
HEDGED: Final = re.compile(
    r"\b(?:if|unless|until|before|after|when|whenever|while|simultaneously|together|at once|at the same time"
    r"|too (?:much|often|far|fast)|(?:more|less|fewer|larger|smaller|higher|lower|bigger) than"
    r"|at (?:most|least)|below|above|under|over|between|within|by (?:more|less)|only once)\b"
)
NEGATION: Final = re.compile(r"\b(?:no|not|never|nor|neither|nothing|only|without)\b")
REASON: Final = re.compile(r",? (?:because|since|so that|otherwise)\b.*$")
COURTESY: Final = re.compile(r"^(?:please,? |note:? |important:? |also,? |and |then |but |however,? )+|,? please$")
EXCEPT: Final = re.compile(
    r"^(?P<what>.+?),? (?:except(?: for)?|other than|apart from|but not|but|excluding|save for) (?P<but>.+)$"
)
CLAUSES: Final = re.compile(
    r"(?:[.;!]\s+|,? (?:but|and|yet|however),? |, )(?=(?:please )?(?:keep|leave|freeze|lock|do not|don't|never|must not"
    r"|(?:always )?use|set|train (?:with|for)|stick|avoid|feel free|you (?:may|can|must|should))\b)"
)
FILLER: Final = re.compile(
    r"\b(?:the|a|an|any|all(?: of)?|our|my|its|this|that|these|current|currently|existing|same|original|present|exact"
    r"|used|at all|whole|entire|itself|in place)\b"
)
ALL: Final = frozenset({"anything", "everything", "nothing", "everything else", "anything else", "nothing else"})
_NUMBER: Final = r"(?P<number>\d+(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?|\.\d+)"
NAMED_NUMBER: Final = re.compile(
    rf"^(?P<name>[a-z _-]+?)(?: ?[:=]| of| to| at| is| must be| should be| has to be)? {_NUMBER}$"
)
NUMBER_NAMED: Final = re.compile(rf"^{_NUMBER} (?:as )?(?P<name>[a-z _-]+)$")
NAMED_VALUE: Final = re.compile(
    r"^(?P<name>[a-z _-]+?)(?: ?[:=]| to| is| must be| should be| has to be) (?P<value>.+)$"
)
