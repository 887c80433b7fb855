"""Learn the secrets that a stack's configuration refers to: variables and files.

They become known only when a resource reads them, but a program can print a variable before that.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.config.files import API_TOKEN, Project
from flowflare.errors import SecretError
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.run import learn

# Plain values of a client or a binding, which are never sources of secrets.
_PLAIN: Final = frozenset({"json", "props", "variables"})


def learn_given_secrets(project: Project, environ: Mapping[str, str]) -> None:
    """Report these secrets to the run's filter. Other code reports a source that cannot be read.

    Args:
        project: the project seen through the stack.
        environ: the environment.
    """
    for key, value in project.values.items():
        if key == API_TOKEN and not value.secret:
            learn(value.text)
        if key.startswith("flowflare:") and value.text[:1] in ("{", "["):
            for written in _find_written(value.text):
                with contextlib.suppress(SecretError):
                    _learn_written(written, project, environ)


def _learn_written(written: Any, project: Project, environ: Mapping[str, str]) -> None:
    if not isinstance(written, dict) or len(written) != 1:
        return
    # Their models take 0.1 s of CPU to load, and most configurations name no source.
    from flowflare.model.secret_sources import EnvironmentSource, FileSource
    from flowflare.secrets.sources import Place, fetch

    place = Place(project.root, environ)
    match written:
        case {"environment": str(variable)}:
            learn(fetch(EnvironmentSource(variable=variable), place).text)
        case {"file": str(path)}:
            learn(fetch(FileSource(path=path), place).text)


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
