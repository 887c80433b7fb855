"""Render Jinja2 templates to JavaScript. Values are inserted only by the `js` filter.

A template of the same name in the project's `templates/` replaces ours. Templates run in Jinja's
sandbox: they can only access the values that they receive, so that a template from elsewhere cannot
read the secrets of the user who deploys it.
"""

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flowflare import library
from flowflare.errors import RenderError
from flowflare.reading.boundary import is_outside
from flowflare.reading.files import read_text

#: The maximum repetition of a text or list by `*`, and the largest result of `**` in bits.
_MOST_REPEATED: Final = 1_000_000
_MOST_BITS: Final = 10_000


class JavaScript(str):
    """Text that is already JavaScript: a bundle, an identifier, or a value written by `js`."""

    __slots__ = ()


def write_js(value: object) -> JavaScript:
    """Write a value as a JavaScript literal.

    ASCII JSON is JavaScript. `<` is escaped so that a value cannot close a `</script>` element.
    U+2028 and U+2029, which end a line in JavaScript, are escaped as all non-ASCII characters are.

    Raises:
        jinja2.UndefinedError: the template uses an undefined name.
        TypeError: JSON cannot represent the value.
    """
    if isinstance(value, jinja2.Undefined):
        str(value)  # StrictUndefined raises here, and names the undefined variable
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(", ", ": "))
    return JavaScript(text.replace("<", "\\u003c"))


def render(template: str, context: Mapping[str, object], *, root: Path) -> str:
    """Render a template.

    Args:
        context: the template's values; every value that is not JavaScript must pass through `js`.
        root: the project's folder, whose own `templates/` take precedence.

    Raises:
        RenderError: the template is not Jinja2, cannot be read, uses an undefined name, accesses
            something that the sandbox refuses, fails, or prints a value without the `js` filter.
            The error names the template's file and line.
    """
    try:
        return _make_environment(root / "templates").get_template(template).render(context)
    except jinja2.TemplateSyntaxError as error:
        place = f"{error.filename or error.name}:{error.lineno}"
        raise RenderError(f"{place}: {error.message}") from error
    except jinja2.TemplateNotFound as error:
        message = f"template {error.name!r:.100} does not exist"
        raise RenderError(f"{_find_place(error, template)}: {message}") from error
    except OSError as error:
        raise RenderError(f"{error.filename} {error.strerror}") from error
    except RecursionError as error:
        message = "it is nested too deeply, or includes or calls itself endlessly"
        raise RenderError(f"{_find_place(error, template)}: {message}") from None
    except Exception as error:
        raise RenderError(
            f"{_find_place(error, template)}: {error}", remedy=_choose_remedy(error)
        ) from error


def _choose_remedy(error: Exception) -> str | None:
    if isinstance(error, _NotJavaScriptError):
        return "Print values through the `js` filter: {{ value | js }}"
    if isinstance(error, SecurityError):
        return "Templates run in Jinja's sandbox: use only the values that the template receives."
    return None


class _NotJavaScriptError(Exception):
    """A template prints a value without the filter."""


def _require_javascript(value: object) -> object:
    # An undefined name passes: StrictUndefined then raises an error with the name.
    if isinstance(value, (JavaScript, jinja2.Undefined)):
        return value
    message = f"a value enters JavaScript without the `js` filter: {value!r:.60}"
    raise _NotJavaScriptError(message)


@lru_cache(maxsize=8)
def _make_environment(own: Path) -> jinja2.Environment:
    environment = _Sandbox(
        loader=_Templates((own, library.folder("templates"))),
        undefined=jinja2.StrictUndefined,
        # HTML escaping would corrupt JavaScript.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_require_javascript,
    )
    environment.filters["js"] = write_js
    return environment


class _Templates(jinja2.BaseLoader):
    """Loads templates by name from the first folder that has it."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Read a template: its text, its file, and whether the text is still current."""
        del environment
        parts = split_template_path(template)
        for folder in self._folders:
            path = folder.joinpath(*parts)
            if path.exists():
                if folder != library.folder("templates") and is_outside(path, folder.parent):
                    raise RenderError(
                        f"{path} points outside of the project", remedy="Replace it with a file."
                    )
                written = path.stat().st_mtime_ns
                return read_text(path), str(path), partial(_is_unchanged, path, written)
        raise jinja2.TemplateNotFound(template)


def _is_unchanged(path: Path, written: int) -> bool:
    try:
        return path.stat().st_mtime_ns == written
    except OSError:
        return False


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which also refuses arithmetic that would use up time or memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate `*` or `**` with bounded operands."""
        counts = [operand for operand in (left, right) if isinstance(operand, int)]
        if operator == "**" and len(counts) == 2 and left.bit_length() * right > _MOST_BITS:
            raise SecurityError(f"the result of `**` has more than {_MOST_BITS:,} bits")
        if operator == "*" and len(counts) == 1 and counts[0] > _MOST_REPEATED:
            raise SecurityError(f"`*` repeats something more than {_MOST_REPEATED:,} times")
        return super().call_binop(context, operator, left, right)


def _find_place(error: Exception, template: str) -> str:
    """Find file and line of the template's innermost frame; Jinja2 rewrites tracebacks to them."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(template):
            return f"{frame.filename}:{frame.lineno}"
    return template
