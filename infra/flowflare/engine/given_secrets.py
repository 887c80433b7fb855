"""Learns the secrets that a stack's configuration names instead of holding: variables and files.

They become known only when a resource reads them, but a program can print a variable before that.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.files import Project
from flowflare.config.former_token import API_TOKEN
from flowflare.errors import SecretError
from flowflare.model.secret_sources import EnvironmentSource, FileSource
from flowflare.reading.json_text import JsonError, parse_json
from flowflare.redaction.redactor import learn
from flowflare.secrets.sources import Place, fetch


def learn_given_secrets(project: Project, environ: Mapping[str, str]) -> None:
    """Report them to the run's filter. A source that cannot be read is an error elsewhere.

    Args:
        project: the project seen through the stack.
        environ: the environment.
    """
    place = Place(project.root, environ)
    for key, value in project.values.items():
        if key == API_TOKEN and not value.secret:
            learn(value.text)
        if value.text[:1] in ("{", "["):
            for source in _sources(value.text):
                with contextlib.suppress(SecretError):
                    learn(fetch(source, place).text)


def _sources(text: str) -> Iterator[EnvironmentSource | FileSource]:
    with contextlib.suppress(JsonError):
        for mapping in _mappings(parse_json(text)):
            match mapping:
                case {"environment": str(variable)} if len(mapping) == 1:
                    yield EnvironmentSource(variable=variable)
                case {"file": str(path)} if len(mapping) == 1:
                    yield FileSource(path=path)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from _mappings(item)
