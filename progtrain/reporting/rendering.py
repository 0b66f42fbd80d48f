"""The templates' environment, and how numbers and one-line texts are written in every report."""

from __future__ import annotations

import math

from jinja2 import Environment, PackageLoader, StrictUndefined


def number(value: float | None) -> str:
    """Four significant digits; an em dash for nothing."""
    return "—" if value is None or math.isnan(value) else f"{value:.4g}"


def signed(value: float | None) -> str:
    """Three significant digits with a sign; an em dash for nothing."""
    return "—" if value is None or math.isnan(value) else f"{value:+.3g}"


def one_line(text: str) -> str:
    """Text as it may stand in a list item or a table cell."""
    return " ".join(text.split()).replace("|", "\\|")


def render(template: str, **values: object) -> str:
    """Fill a template of progtrain/reporting/templates."""
    environment = Environment(
        loader=PackageLoader("progtrain.reporting"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
    environment.filters |= {"number": number, "signed": signed, "one_line": one_line}
    return environment.get_template(template).render(**values)
