"""Opens one tenant's passphrase for one tenant's run, and keeps those of the others out of it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowflare.errors import SecretError
from flowflare.fleet.tenants.model import Fleet, PassphraseSource, Tenant, stack_of

VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE"
_FILE_VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE_FILE"
_SECONDS: Final = 120


class Passphrases:
    """Makes the environments of a fleet's stacks.

    Args:
        fleet: the fleet.
        root: the project's folder.
        environ: the environment of this process.
    """

    def __init__(self, fleet: Fleet, root: Path, environ: Mapping[str, str]) -> None:
        self._root, self._environ = root, environ
        self._sources: dict[str, PassphraseSource | None] = {}
        for tenant in fleet.tenants:
            self._sources |= _sources(fleet, tenant)
        known = (source.env for source in self._sources.values() if source)
        self._variables = frozenset(name for name in known if name)

    def environ_of(self, stack: str) -> dict[str, str]:
        """The environment of one stack's run: its passphrase, and no other stack's.

        Raises:
            SecretError: its passphrase is not where the fleet's file says.
        """
        source = self._sources.get(stack)
        left_out = set(self._variables)
        if source is not None:
            left_out |= {VARIABLE, _FILE_VARIABLE}
        own = {key: value for key, value in self._environ.items() if key not in left_out}
        if source is not None:
            own[VARIABLE] = self._opened(stack, source)
        return own

    def closed(self, stack: str) -> dict[str, str]:
        """The environment of one stack's run that opens no secret: without any passphrase."""
        del stack
        left_out = {*self._variables, VARIABLE, _FILE_VARIABLE}
        return {key: value for key, value in self._environ.items() if key not in left_out}

    def _opened(self, stack: str, source: PassphraseSource) -> str:
        if source.env is not None:
            text = self._environ.get(source.env, "")
            where, remedy = f"environment variable {source.env}", f"Set {source.env}."
        elif source.file is not None:
            path = self._root / source.file
            text = _line(path.read_text("utf-8")) if path.is_file() else ""
            where, remedy = f"file {source.file}", f"Write it to {source.file}."
        else:
            words = list(source.command)
            where = f"command `{' '.join(words)}`"
            remedy = "Run it by itself: it must print the passphrase and end with exit code 0."
            text = self._printed(words)
        if not text:
            raise SecretError(f"the {where} has no passphrase of stack {stack}", remedy=remedy)
        return text

    def _printed(self, words: list[str]) -> str:
        try:
            done = subprocess.run(
                words,
                cwd=self._root,
                env=dict(self._environ),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        # What it printed is never shown: it may be the passphrase all the same.
        return _line(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else ""


def _sources(fleet: Fleet, tenant: Tenant) -> dict[str, PassphraseSource | None]:
    return {
        stack_of(tenant.name, environment): fleet.passphrase_source(tenant, environment)
        for environment in tenant.environments
    }


def _line(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
