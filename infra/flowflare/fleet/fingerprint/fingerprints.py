"""Compute fingerprints of stacks. If a fingerprint is unchanged, `up` is not run.

A fingerprint covers every input of a stack's program: the configuration as it is written, the
bundled code of the Workers, D1 migrations, the program's own modules, and the versions of the tools
that run it. Computing it decrypts no secret, runs no program and calls no API. The result is the
same on every machine and in every folder. Inputs that cannot be read this way are listed in
`unknown`, and the stack counts as changed.
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
from flowflare.config.files import Project
from flowflare.config.stacks import StackReader
from flowflare.errors import FlowflareError
from flowflare.fleet.fingerprint.program import find_program_inputs
from flowflare.fleet.fingerprint.sources import ClientSource, Inputs, SecretSource, read_inputs
from flowflare.fleet.fingerprint.tool import digest_files, tool_digest
from flowflare.fleet.records import Fingerprint
from flowflare.model.client import AssetsSpec
from flowflare.reading.files import read_bytes, read_text
from flowflare.render.assets import read_assets
from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.node import Progress
from flowflare.render.worker import make_service_source
from flowflare.secrets.fingerprint import KEY_VARIABLE, LEAST_KEY

__all__ = ["KEY_VARIABLE", "Fingerprint", "make_fingerprints"]

#: Variables from which Pulumi's SDK reads configuration in addition to the files.
_CONFIGURING: Final = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS")
_BASE_URL: Final = "cloudflare:baseUrl"
_PREFIX: Final = "flowflare:"


def make_fingerprints(
    reader: StackReader,
    stacks: Sequence[str],
    environ: Mapping[str, str],
    on_progress: Progress | None = None,
) -> dict[str, Fingerprint]:
    """Compute the fingerprints of stacks, in the given order.

    If a stack's files have problems, its fingerprint says so in `unknown`. The plan of the stack
    reports the details.

    Args:
        environ: the environment variables that their programs would run with.
        on_progress: is called before slow work, such as installing npm packages.

    Raises:
        NodeError: a Worker has changed and must be bundled, but Node cannot run.
    """
    maker = _Maker(reader.root, environ, on_progress)
    projects = {stack: _read_project(reader, stack) for stack in stacks}
    known = [project for project in projects.values() if isinstance(project, Project)]
    sources = {source for project in known for source in _read_inputs(project).sources.values()}
    maker.bundle(sorted(sources, key=str))
    return {
        stack: maker.make(project)
        if isinstance(project, Project)
        else Fingerprint(digest=f"unknown-{uuid4().hex}", parts={}, unknown=(project,))
        for stack, project in projects.items()
    }


def _read_project(reader: StackReader, stack: str) -> Project | str:
    try:
        return reader.read_stack(stack)
    except FlowflareError as error:
        return error.message


def _read_inputs(project: Project) -> Inputs:
    keys = ("clients", "clientOverrides", "policies")
    values = (project.values.get(f"{_PREFIX}{key}") for key in keys)
    return read_inputs(*(value.text if value else "" for value in values))


class _Maker:
    """Compute the fingerprints of one project; inputs that stacks share are digested once."""

    def __init__(
        self, root: Path, environ: Mapping[str, str], on_progress: Progress | None
    ) -> None:
        self._root = root
        self._environ = environ
        self._on_progress = on_progress
        self._bundles: dict[ClientSource, str] = {}
        self._broken: dict[ClientSource, str] = {}
        self._folders: dict[str, str] = {}
        self._programs: dict[Path, tuple[str, list[str]]] = {}

    def bundle(self, sources: Sequence[ClientSource]) -> None:
        """Digest the bundles of Workers' sources, and record why a source cannot be bundled."""
        wanted = [
            BundleSource(
                source.path,
                self._root,
                node_compat=source.compatibility,
                has_source_map=source.has_source_map,
                rules=source.rules,
            )
            for source in sources
        ]
        try:
            made = bundle_sources(wanted, root=self._root, on_progress=self._on_progress)
        except FlowflareError as error:
            if len(sources) == 1:
                self._broken[sources[0]] = f"{sources[0].path} cannot be bundled: {error.message}"
                return
            for source in sources:
                self.bundle([source])
            return
        for source, bundle in zip(sources, made, strict=True):
            # The names of its other modules contain their digests.
            self._bundles[source] = _digest([bundle.content, bundle.exports, bundle.source_map])

    def make(self, project: Project) -> Fingerprint:
        """Compute the fingerprint of one stack."""
        inputs = _read_inputs(project)
        unknown: list[str] = []
        program, of_program = self._digest_program(project.main)
        unknown += of_program
        sources = inputs.sources.values()
        unknown += [self._broken[source] for source in sources if source in self._broken]
        secrets = self._digest_secrets(project, inputs, unknown)
        parts = {
            "config": self._digest_config(project, secrets, unknown),
            "code": self._digest_code(inputs),
            "migrations": self._digest_migrations(inputs),
            "program": _digest([program, self._digest_files(inputs.policies)]),
            "tool": tool_digest(),
            "secrets": secrets,
        }
        if unknown:
            digest = f"unknown-{uuid4().hex}"
            return Fingerprint(digest=digest, parts=parts, unknown=tuple(dict.fromkeys(unknown)))
        return Fingerprint(digest=_digest(parts), parts=parts)

    def _digest_config(self, project: Project, secrets: str, unknown: list[str]) -> str:
        values = {key: [value.text, value.secret] for key, value in project.values.items()}
        inputs: list[Any] = [
            project.name,
            project.stack,
            values,
            None if _BASE_URL in values else self._environ.get("CLOUDFLARE_BASE_URL", ""),
        ]
        inputs += [
            [name, self._hash("configuration", self._environ[name], f"variable {name}", unknown)]
            for name in _CONFIGURING
            if self._environ.get(name)
        ]
        return _digest([*inputs, secrets])

    def _digest_secrets(self, project: Project, inputs: Inputs, unknown: list[str]) -> str:
        """Digest the sources of all secrets; the digest changes when a secret is set again."""
        encrypted = {key: value.text for key, value in project.values.items() if value.secret}
        sources = [[each.owner, self._digest_secret(each, unknown)] for each in inputs.secrets]
        # The salt only matters for ciphertexts.
        return _digest([encrypted, project.encryption_salt if encrypted else None, sources])

    def _digest_secret(self, source: SecretSource, unknown: list[str]) -> str:
        if source.kind == "aws":
            unknown.append(f"{source.owner} is the newest version of a secret in AWS")
            return ""
        if source.kind == "environment":
            value, where = self._environ.get(source.name), f"variable {source.name}"
        else:
            value, where = _read(self._root / source.name), f"file {source.name}"
        if value is None:
            unknown.append(f"{source.owner} comes from {where}, which does not exist")
            return ""
        return self._hash(source.owner, value, where, unknown)

    def _hash(self, owner: str, value: str, where: str, unknown: list[str]) -> str:
        """Hash a value that may be secret, so that the hash is useless without the key."""
        key = self._environ.get(KEY_VARIABLE, "")
        if len(key) < LEAST_KEY:
            unknown.append(f"{owner} comes from {where}, and {KEY_VARIABLE} is not set")
            return ""
        return hmac.new(key.encode(), f"{owner}\0{value}".encode(), hashlib.sha256).hexdigest()

    def _digest_code(self, inputs: Inputs) -> str:
        clients = {name: self._bundles.get(source, "") for name, source in inputs.sources.items()}
        assets = {folder: self._digest_assets(folder) for folder in inputs.assets}
        return _digest([self._service, self._templates, clients, assets])

    def _digest_assets(self, folder: str) -> str:
        if folder not in self._folders:
            spec = AssetsSpec(directory=folder, config={})
            try:
                read = read_assets(spec, "", self._root)
            except FlowflareError as error:
                return _digest(error.message)
            self._folders[folder] = _digest([read.manifest, read.rules])
        return self._folders[folder]

    @cached_property
    def _service(self) -> str:
        finished = library.finished_service_bundle()
        if finished is not None:
            return _digest(read_text(finished))
        [made] = bundle_sources([make_service_source()], root=self._root)
        return _digest([made.content, made.exports])

    @cached_property
    def _templates(self) -> str:
        ours, own = library.folder("templates"), self._root / "templates"
        folders = [ours] if own.resolve() == ours.resolve() else [ours, own]
        return _digest([digest_files(folder, "*.js.j2") for folder in folders])

    def _digest_migrations(self, inputs: Inputs) -> str:
        ours = self._digest_folder(str(library.folder("migrations")))
        own = {folder: self._digest_folder(folder) for folder in inputs.migrations}
        return _digest([ours, own])

    def _digest_folder(self, folder: str) -> str:
        if folder not in self._folders:
            place = self._root / folder
            files = digest_files(place, "*.sql") or digest_files(place, "*/migration.sql")
            self._folders[folder] = _digest(files)
        return self._folders[folder]

    def _digest_files(self, names: Sequence[str]) -> Mapping[str, str]:
        return {name: _digest(_read(self._root / name)) for name in names}

    def _digest_program(self, main: Path) -> tuple[str, list[str]]:
        if main not in self._programs:
            self._programs[main] = self._compute_program(main)
        return self._programs[main]

    def _compute_program(self, main: Path) -> tuple[str, list[str]]:
        found = find_program_inputs(main, self._root)
        unknown = list(found.unknown)
        variables = {
            name: self._hash(place, self._environ.get(name, ""), f"variable {name}", unknown)
            for name, place in sorted(found.variables.items())
        }
        files = {}
        for file in found.files:
            content = read_bytes(file) if file.is_file() else b""
            name = Path(os.path.relpath(file, self._root)).as_posix()
            files[name] = hashlib.sha256(content).hexdigest()
        return _digest([files, variables, found.packages]), unknown


def _read(path: Path) -> str | None:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError):
        return None


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
