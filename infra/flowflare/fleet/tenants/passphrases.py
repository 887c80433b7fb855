"""Opens one tenant's passphrase for one tenant's run, and keeps those of the others out of it."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowflare.errors import SecretError
from flowflare.fleet.tenants.model import Fleet, PassphraseSource, Tenant, stack_of
from flowflare.reading.files import read_text
from flowflare.state.passphrase import ORIGIN

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
            where = _place(source)
            own[VARIABLE] = self._opened(stack, source)
            own[ORIGIN] = f"{where} for stack {stack}"
        return own

    def refuse_made_here(self, stacks: Iterable[str]) -> None:
        """Refuses stacks without a passphrase: one made on this machine is on no other.

        Raises:
            SecretError: there are some.
        """
        if VARIABLE in self._environ or self._environ.get(_FILE_VARIABLE):
            return
        without = [one for one in stacks if self._sources.get(one) is None]
        if without:
            more = f" and {len(without) - 1} more" if len(without) > 1 else ""
            raise SecretError(
                f"stack {without[0]}{more}: there is no passphrase, and one made here would open "
                "nothing on another machine, which shares the state",
                remedy=f"Write `passphrase` in tenants.yaml, or set {VARIABLE}.",
            )

    def closed(self, stack: str) -> dict[str, str]:
        """The environment of one stack's run that opens no secret: without any passphrase."""
        del stack
        left_out = {*self._variables, VARIABLE, _FILE_VARIABLE}
        return {key: value for key, value in self._environ.items() if key not in left_out}

    def _opened(self, stack: str, source: PassphraseSource) -> str:
        if source.env is not None:
            text = self._environ.get(source.env, "")
            remedy = f"Set {source.env}."
        elif source.file is not None:
            path = self._root / source.file
            text = _line(read_text(path)) if path.exists() else ""
            remedy = f"Write it to {source.file}."
        else:
            words = list(source.command)
            remedy = "Run it by itself: it must print the passphrase and end with exit code 0."
            text = self._printed(words)
        if not text:
            raise SecretError(
                f"the {_place(source)} has no passphrase of stack {stack}", remedy=remedy
            )
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


def _place(source: PassphraseSource) -> str:
    if source.env is not None:
        return f"environment variable {source.env}"
    return (
        f"file {source.file}"
        if source.file is not None
        else f"command `{' '.join(source.command)}`"
    )


def _line(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
