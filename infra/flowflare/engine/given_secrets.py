"""Learn the secrets that a stack's configuration refers to: variables and files.

They become known only when a resource reads them, but a program can print a variable before that.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.files import API_TOKEN, Project
from flowflare.errors import SecretError
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.run import learn

if TYPE_CHECKING:
    from flowflare.model.secret_sources import EnvironmentSource, FileSource

# Plain values of a client or a binding, which are never sources of secrets.
_PLAIN: Final = frozenset({"json", "props", "variables"})


def learn_given_secrets(project: Project, environ: Mapping[str, str]) -> None:
    """Report these secrets to the run's filter. Other code reports a source that cannot be read."""
    for key, value in project.values.items():
        if key == API_TOKEN and not value.secret:
            learn(value.text)
    for source in list_given_sources(project):
        from flowflare.secrets.sources import Place, fetch

        with contextlib.suppress(SecretError):
            learn(fetch(source, Place(project.root, environ)).text)


def list_given_sources(project: Project) -> "Iterator[EnvironmentSource | FileSource]":
    """List the variables and files that the configuration names as sources of secrets."""
    for key, value in project.values.items():
        if key.startswith("flowflare:") and value.text[:1] in ("{", "["):
            for written in _find_written(value.text):
                if isinstance(written, dict) and len(written) == 1:
                    yield from _read_source(written)


def _read_source(written: Mapping[str, Any]) -> "Iterator[EnvironmentSource | FileSource]":
    # Their models take 0.1 s of CPU to load, and most configurations name no source.
    from flowflare.model.secret_sources import EnvironmentSource, FileSource

    match written:
        case {"environment": str(variable)}:
            yield EnvironmentSource(variable=variable)
        case {"file": str(path)}:
            yield FileSource(path=path)


def _find_written(text: str) -> Iterator[Any]:
    with contextlib.suppress(JsonError):
        yield from _list_written(parse_json(text))


def _list_written(value: Any) -> Iterator[Any]:
    """List every value in a place where the configuration may name a secret's source.

    A client has sources in its `secrets`, and in its `bindings` at any depth.
    """
    for name, item in value.items() if isinstance(value, dict) else ():
        if name in ("secrets", "bindings"):
            yield from _list_mappings(item)
        elif name not in _PLAIN:
            yield from _list_written(item)
    for item in value if isinstance(value, list) else ():
        yield from _list_written(item)


def _list_mappings(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
        for name, item in value.items():
            if name not in _PLAIN:
                yield from _list_mappings(item)
