"""Check the Pulumi CLI and the backend of a stack for `flowflare doctor`."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from flowflare.config.files import Project, ProjectFile
from flowflare.engine.pulumi_cli.command import OFFICIAL_INSTALL, Cli
from flowflare.engine.pulumi_cli.plugins import install_command, is_installed, required_plugins
from flowflare.engine.pulumi_cli.state import backend_url
from flowflare.engine.pulumi_cli.versions import (
    PULUMI_VERSION,
    REQUIRED_PULUMI,
    is_supported,
)
from flowflare.errors import FlowflareError, StateError
from flowflare.state.backends.folder import parse_folder_url
from flowflare.state.backends.registry import redact_url
from flowflare.state.backends.store import Store
from flowflare.state.passphrase import Vault, find_passphrase
from flowflare.values.urns import name_of

Status = Literal["ok", "warn", "fail"]
_INSTALL: Final = f"Run: flowflare doctor --install, or {OFFICIAL_INSTALL}"


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked.
        status: `ok`; `warn` for a possible problem or a check that could not be done; `fail`.
        message: what was found.
        remedy: what to do; empty if nothing needs to be done.
    """

    name: str
    status: Status
    message: str
    remedy: str = ""


def cli_check(cli: Cli | None) -> Check:
    """Check that the CLI is installed in a supported version."""
    if cli is None:
        return Check("pulumi", "fail", "the Pulumi CLI is not installed", _INSTALL)
    if cli.version is None:
        message = f"{cli.path} does not report its version; {PULUMI_VERSION} is the tested one"
        return Check("pulumi", "warn", message, _INSTALL)
    if not is_supported(cli.version):
        message = f"{cli.path} is {cli.version_text}, but {REQUIRED_PULUMI} is needed"
        return Check("pulumi", "fail", message, _INSTALL)
    if cli.version_text != PULUMI_VERSION:
        message = f"{cli.path} is {cli.version_text}; {PULUMI_VERSION} is the tested one"
        return Check("pulumi", "warn", message, _INSTALL)
    return Check("pulumi", "ok", f"{cli.path} is {cli.version_text}")


def plugin_checks(project: ProjectFile, environ: Mapping[str, str]) -> Iterator[Check]:
    """Check that the plugins that the program's packages pin are installed."""
    for plugin in required_plugins(project):
        named = f"{plugin.name} {plugin.version}"
        if is_installed(plugin, project, environ):
            yield Check("plugin", "ok", named)
        else:
            remedy = f"Run: {install_command(plugin)}"
            yield Check("plugin", "fail", f"{named} is not installed", remedy)


def backend_check(project: Project, environ: Mapping[str, str]) -> Check:
    """Check that the backend of the stack is known; a folder must exist and be writable."""
    url = backend_url(project.shared, environ)
    if not url:
        remedy = (
            "Set PULUMI_BACKEND_URL, for example to file://$HOME or "
            "s3://BUCKET?region=REGION (flowflare docs deploy), or run: pulumi login"
        )
        return Check("backend", "fail", "no backend for state is configured", remedy)
    folder = parse_folder_url(url, environ)
    if folder is None:
        return Check("backend", "ok", redact_url(url))
    folder = project.root / folder
    if not folder.is_dir():
        if "create_dir=true" in url or "create_dir=1" in url:
            return Check("backend", "ok", f"{redact_url(url)}, which the first command creates")
        return Check("backend", "fail", f"{folder} does not exist", f"Create it: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        remedy = "Make it writable, or name another folder."
        return Check("backend", "fail", f"{folder} cannot be written to", remedy)
    message = f"{redact_url(url)}: this machine only; a team needs a bucket"
    return Check("backend", "ok", message)


def bucket_check(store: Store) -> Check:
    """Check that a bucket answers and supports conditional writes; this writes one object."""
    from flowflare.state.backends.probe import find_unsupported_conditions

    try:
        unmet = find_unsupported_conditions(store)
    except StateError as error:
        return Check("bucket", "fail", error.message, error.remedy or "")
    if unmet:
        message = f"{store.url} ignores {' and '.join(unmet)}: leases would not be safe"
        remedy = "Use a store with conditional writes: AWS S3, R2, or MinIO of 2024 or later."
        return Check("bucket", "fail", message, remedy)
    return Check("bucket", "ok", f"{store.url} responds, and supports conditional writes")


def secrets_check(project: Project, environ: Mapping[str, str]) -> Check:
    """Check that the stack's secrets can be opened."""
    provider = project.secrets_provider
    if provider and provider != "passphrase":
        return Check("secrets", "ok", f"kept by {provider.partition('?')[0]}")
    names = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    if not any(name in environ for name in names):
        remedy = f"Set {' or '.join(names)}; for example with direnv, or as a secret of the CI."
        return Check("secrets", "fail", "no passphrase is set", remedy)
    if project.encryption_salt:
        try:
            folder = project.root / ".flowflare"
            passphrase = find_passphrase(folder, environ, make=False)
            Vault(passphrase, project.encryption_salt, project.salt_place).check()
        except FlowflareError as error:
            return Check("secrets", "fail", error.message, error.remedy or "")
        return Check("secrets", "ok", "the passphrase opens this stack's secrets")
    return Check("secrets", "ok", "a passphrase is set")


def export(project: Project, environ: Mapping[str, str]) -> Mapping[str, Any] | FlowflareError:
    """Export the stack as `pulumi stack export` prints it, or return why that is not possible."""
    from flowflare.engine.pulumi_cli.stack import CliStack

    try:
        return CliStack(project, environ=environ).export()
    except FlowflareError as error:
        return error


def stack_check(project: Project, exported: Mapping[str, Any] | FlowflareError) -> Check:
    """Check that the stack exists, and that no run of it was interrupted.

    Args:
        exported: the output of `pulumi stack export`, or the error of that command.
    """
    if isinstance(exported, FlowflareError):
        return Check("stack", "fail", exported.message, exported.remedy or "")
    deployment = exported.get("deployment") or {}
    pending = [
        name_of(operation["resource"]["urn"])
        for operation in deployment.get("pending_operations") or ()
    ]
    if pending:
        message = f"a run was interrupted while it changed {', '.join(pending)}"
        remedy = (
            "flowflare up finds what it created and adopts it; plain `pulumi up` would create "
            "it a second time."
        )
        return Check("stack", "warn", message, remedy)
    count = len(deployment.get("resources") or ())
    return Check("stack", "ok", f"{project.stack} has {count} resources")


def python_check(project: Project, environ: Mapping[str, str]) -> Check:
    """Check that the Python with which plain `pulumi up` runs the program has Flowflare."""
    named = project.shared.runtime_options.get("virtualenv")
    if named:
        return _check_virtualenv(project, str(named))
    python = shutil.which(
        environ.get("PULUMI_PYTHON_CMD") or "python3", path=environ.get("PATH", "")
    )
    if python is not None and Path(python).parent == Path(sys.executable).parent:
        return Check("python", "ok", f"pulumi runs the program with {python}")
    message = f"plain `pulumi` would run the program with {python or 'no python3'}"
    remedy = f"Activate the environment: . {Path(sys.executable).parent}/activate"
    return Check("python", "warn", f"{message}; `flowflare up` uses its own", remedy)


def _check_virtualenv(project: Project, named: str) -> Check:
    """Check that a virtual environment is found from the project's and from the program's folder.

    The CLI starts the program in the first and dynamic providers in the second (pulumi/pulumi
    #7061), so a relative path works only without `main`.
    """
    program = project.main if project.main.is_dir() else project.main.parent
    for folder in dict.fromkeys((project.root, program)):
        if not any((folder / named).glob("lib/python3*/site-packages/*flowflare*")):
            remedy = (
                "Remove `virtualenv` from Pulumi.yaml and activate the environment, or write its "
                "absolute path."
            )
            message = f"virtualenv of Pulumi.yaml: there is no flowflare in {folder / named}"
            return Check("python", "fail", message, remedy)
    return Check("python", "ok", f"virtualenv {named} has flowflare")
