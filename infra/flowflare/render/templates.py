"""Renders Jinja2 templates into JavaScript; a value gets in through the `js` filter alone.

A template of the same name in the project's `templates/` is used instead of ours.
"""

import json
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import jinja2

from flowflare import library
from flowflare.errors import RenderError


class JavaScript(str):
    """Text that is JavaScript already: a bundle, an identifier, or what `js` made of a value."""

    __slots__ = ()


def js(value: object) -> JavaScript:
    """A value as a JavaScript literal.

    JSON in ASCII is JavaScript, but `<` is escaped so that no `</script>` can end a page, and
    U+2028 and U+2029, which end a line in JavaScript, are escaped by ASCII.

    Raises:
        jinja2.UndefinedError: the template's name for the value is not there.
        TypeError: JSON has no such value.
    """
    if isinstance(value, jinja2.Undefined):
        str(value)  # StrictUndefined raises here and says which name it is
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(", ", ": "))
    return JavaScript(text.replace("<", "\\u003c"))


def render(template: str, context: Mapping[str, object], *, root: Path) -> str:
    """Renders a template.

    Args:
        template: its file name.
        context: what it may use; every value that is not JavaScript must pass through `js`.
        root: the project's folder, whose own `templates/` come first.

    Raises:
        RenderError: the template is no Jinja2, uses a name that is not there, or prints a value
            without the `js` filter; with the template's file and line.
    """
    try:
        return _environment(root / "templates").get_template(template).render(context)
    except jinja2.TemplateSyntaxError as error:
        place = f"{error.filename or error.name}:{error.lineno}"
        raise RenderError(f"{place}: {error.message}") from error
    except (jinja2.TemplateError, _NotJavaScriptError, TypeError) as error:
        remedy = "Print values through the `js` filter: {{ value | js }}"
        shown = remedy if isinstance(error, _NotJavaScriptError) else None
        raise RenderError(f"{_place(error, template)}: {error}", remedy=shown) from error


class _NotJavaScriptError(Exception):
    """A template prints a bare value."""


def _only_javascript(value: object) -> object:
    # An undefined name passes through: StrictUndefined then says which one it is.
    if isinstance(value, (JavaScript, jinja2.Undefined)):
        return value
    message = f"a value enters JavaScript without the `js` filter: {value!r:.60}"
    raise _NotJavaScriptError(message)


@lru_cache(maxsize=8)
def _environment(own: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([own, library.folder("templates")]),
        undefined=jinja2.StrictUndefined,
        # HTML escaping would corrupt JavaScript.
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_javascript,
    )
    environment.filters["js"] = js
    return environment


def _place(error: Exception, template: str) -> str:
    """File and line of the template's innermost frame, as Jinja2 rewrote the traceback."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(template):
            return f"{frame.filename}:{frame.lineno}"
    return template
