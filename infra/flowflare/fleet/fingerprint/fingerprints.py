"""Fingerprints of stacks: equal ones mean that an `up` would change nothing, and is not run.

A fingerprint is of everything that a stack's program makes its result of: the configuration as it
is written, the Workers' code as it is bundled, D1 migrations, the program's own modules, and the
versions of what runs it. No secret is opened for it, no program run and nobody called. It is the
same on every machine and in every folder. What cannot be known that way is said in `unknown`, and
then the stack counts as changed.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from flowflare import library
from flowflare.config.files import Project, read_project
from flowflare.errors import FlowflareError
from flowflare.fleet.fingerprint.program import program_files
from flowflare.fleet.fingerprint.sources import Named, SecretPlace, named
from flowflare.fleet.fingerprint.tool import files_in, tool_digest
from flowflare.fleet.records import Fingerprint
from flowflare.reading.files import read_bytes, read_text
from flowflare.render.bundle import Source, bundle_sources
from flowflare.render.node import Progress
from flowflare.render.worker import service_source

__all__ = ["KEY_VARIABLE", "Fingerprint", "fingerprints"]

#: Names the key under which values from the environment and from files are digested.
KEY_VARIABLE: Final = "FLOWFLARE_FINGERPRINT_KEY"
_LEAST_KEY: Final = 16
#: Variables from which configuration comes beside the files, as Pulumi's SDK reads it.
_CONFIGURING: Final = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS")
_BASE_URL: Final = "cloudflare:baseUrl"
_PREFIX: Final = "flowflare:"


def fingerprints(
    root: Path,
    stacks: Sequence[str],
    environ: Mapping[str, str],
    on_progress: Progress | None = None,
) -> dict[str, Fingerprint]:
    """The fingerprints of stacks, in the order in which they are named.

    A stack whose files are not in order has one that says so in `unknown`: to plan it tells the
    rest.

    Args:
        root: the project's folder.
        stacks: the stacks.
        environ: the environment that their programs would run in.
        on_progress: is told what takes long, such as npm packages to install.

    Raises:
        NodeError: a Worker has changed and must be bundled, and Node cannot run.
    """
    maker = _Maker(root, environ, on_progress)
    projects = {stack: _read(root, stack) for stack in stacks}
    known = [one for one in projects.values() if isinstance(one, Project)]
    maker.bundle(sorted({source for one in known for source in _named(one).sources.values()}))
    return {
        stack: maker.fingerprint(one) if isinstance(one, Project) else _unknown(one)
        for stack, one in projects.items()
    }


def _read(root: Path, stack: str) -> Project | str:
    try:
        return read_project(root, stack)
    except FlowflareError as error:
        return error.message


def _unknown(why: str) -> Fingerprint:
    return Fingerprint(digest=f"unknown-{uuid4().hex}", parts={}, unknown=(why,))


def _named(project: Project) -> Named:
    keys = ("clients", "clientOverrides", "policies")
    values = (project.values.get(f"{_PREFIX}{key}") for key in keys)
    return named(*(value.text if value else "" for value in values))


class _Maker:
    """Makes the fingerprints of one project; what stacks share is digested once."""

    def __init__(
        self, root: Path, environ: Mapping[str, str], on_progress: Progress | None
    ) -> None:
        self._root = root
        self._environ = environ
        self._on_progress = on_progress
        self._bundles: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._programs: dict[Path, tuple[str, list[str]]] = {}

    def bundle(self, sources: Sequence[str]) -> None:
        """Digests the bundles of Workers' sources; one that does not bundle says why."""
        wanted = [Source(one, self._root) for one in sources]
        try:
            made = bundle_sources(wanted, root=self._root, on_progress=self._on_progress)
        except FlowflareError as error:
            if len(sources) == 1:
                self._broken[sources[0]] = f"{sources[0]} does not bundle: {error.message}"
                return
            for one in sources:
                self.bundle([one])
            return
        for source, bundle in zip(sources, made, strict=True):
            self._bundles[source] = _digest([bundle.content, bundle.exports])

    def fingerprint(self, project: Project) -> Fingerprint:
        """The fingerprint of one stack."""
        wanted = _named(project)
        unknown: list[str] = []
        program, of_program = self._program(project.main)
        unknown += of_program
        unknown += [self._broken[one] for one in wanted.sources.values() if one in self._broken]
        sealed = self._secrets(project, wanted, unknown)
        parts = {
            "config": self._config(project, sealed, unknown),
            "code": self._code(wanted),
            "migrations": self._migrations(wanted),
            "program": _digest([program, self._files(wanted.policies)]),
            "tool": tool_digest(),
            "secrets": sealed,
        }
        if unknown:
            digest = f"unknown-{uuid4().hex}"
            return Fingerprint(digest=digest, parts=parts, unknown=tuple(dict.fromkeys(unknown)))
        return Fingerprint(digest=_digest(parts), parts=parts)

    def _config(self, project: Project, secrets: str, unknown: list[str]) -> str:
        values = {key: [value.text, value.secret] for key, value in project.values.items()}
        said: list[Any] = [
            project.name,
            project.stack,
            values,
            None if _BASE_URL in values else self._environ.get("CLOUDFLARE_BASE_URL", ""),
        ]
        said += [
            [name, self._sealed("configuration", self._environ[name], f"variable {name}", unknown)]
            for name in _CONFIGURING
            if self._environ.get(name)
        ]
        return _digest([*said, secrets])

    def _secrets(self, project: Project, wanted: Named, unknown: list[str]) -> str:
        """All that secrets come from: with the same digest none has been set anew."""
        sealed = {key: value.text for key, value in project.values.items() if value.secret}
        places = [[place.owner, self._secret(place, unknown)] for place in wanted.secrets]
        # The salt belongs to the ciphertexts; without any, nothing depends on it.
        return _digest([sealed, project.encryption_salt if sealed else None, places])

    def _secret(self, place: SecretPlace, unknown: list[str]) -> str:
        if place.kind == "aws":
            unknown.append(f"{place.owner} is whatever AWS has as the newest version of its secret")
            return ""
        if place.kind == "environment":
            value, where = self._environ.get(place.name), f"variable {place.name}"
        else:
            value, where = _text(self._root / place.name), f"file {place.name}"
        if value is None:
            unknown.append(f"{place.owner} is in {where}, which is not there")
            return ""
        return self._sealed(place.owner, value, where, unknown)

    def _sealed(self, owner: str, value: str, where: str, unknown: list[str]) -> str:
        """The digest of a value that may be secret: worth nothing without the key."""
        key = self._environ.get(KEY_VARIABLE, "")
        if len(key) < _LEAST_KEY:
            unknown.append(f"{owner} comes from {where}, and {KEY_VARIABLE} is not set")
            return ""
        return hmac.new(key.encode(), f"{owner}\0{value}".encode(), hashlib.sha256).hexdigest()

    def _code(self, wanted: Named) -> str:
        clients = {name: self._bundles.get(one, "") for name, one in wanted.sources.items()}
        return _digest([self._service, self._templates, clients])

    @cached_property
    def _service(self) -> str:
        finished = library.finished_service_bundle()
        if finished is not None:
            return _digest(read_text(finished))
        [made] = bundle_sources([service_source()], root=self._root)
        return _digest([made.content, made.exports])

    @cached_property
    def _templates(self) -> str:
        ours, own = library.folder("templates"), self._root / "templates"
        folders = [ours] if own.resolve() == ours.resolve() else [ours, own]
        return _digest([files_in(one, "*.js.j2") for one in folders])

    def _migrations(self, wanted: Named) -> str:
        ours = self._folder(str(library.folder("migrations")))
        return _digest([ours, {one: self._folder(one) for one in wanted.migrations}])

    def _folder(self, folder: str) -> str:
        if folder not in self._folders:
            self._folders[folder] = _digest(files_in(self._root / folder, "*.sql"))
        return self._folders[folder]

    def _files(self, names: Sequence[str]) -> Mapping[str, str]:
        return {name: _digest(_text(self._root / name)) for name in names}

    def _program(self, main: Path) -> tuple[str, list[str]]:
        if main not in self._programs:
            self._programs[main] = self._made_program(main)
        return self._programs[main]

    def _made_program(self, main: Path) -> tuple[str, list[str]]:
        found = program_files(main, self._root)
        unknown = list(found.unknown)
        variables = {
            name: self._sealed(place, self._environ.get(name, ""), f"variable {name}", unknown)
            for name, place in sorted(found.variables.items())
        }
        files = {
            Path(os.path.relpath(one, self._root)).as_posix(): hashlib.sha256(
                _bytes(one)
            ).hexdigest()
            for one in found.files
        }
        return _digest([files, variables, found.packages]), unknown


def _text(path: Path) -> str | None:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError):
        return None


def _bytes(path: Path) -> bytes:
    return read_bytes(path) if path.is_file() else b""


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
