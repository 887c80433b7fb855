"""Read a tenant's passphrase for its run, and hide the passphrases of all others from the run."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowflare.errors import SecretError
from flowflare.fleet.tenants.model import Fleet, PassphraseSource, stack_of
from flowflare.reading.files import read_text
from flowflare.state.passphrase import ORIGIN

VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE"
_FILE_VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE_FILE"
_SECONDS: Final = 120


class Passphrases:
    """Make the environment variables of a fleet's stacks."""

    def __init__(self, fleet: Fleet, root: Path, environ: Mapping[str, str]) -> None:
        self._root, self._environ = root, environ
        self._sources: dict[str, PassphraseSource | None] = {}
        for tenant in fleet.tenants:
            for name in tenant.environments:
                stack = stack_of(tenant.name, name)
                self._sources[stack] = fleet.passphrase_source(tenant, name)
        known = (source.env for source in self._sources.values() if source)
        self._variables = frozenset(name for name in known if name)

    def environ_of(self, stack: str) -> dict[str, str]:
        """Return the environment variables of a stack's run, with only its own passphrase.

        Raises:
            SecretError: the source has no passphrase.
        """
        source = self._sources.get(stack)
        hidden = set(self._variables)
        if source is not None:
            hidden |= {VARIABLE, _FILE_VARIABLE}
        own = {key: value for key, value in self._environ.items() if key not in hidden}
        if source is not None:
            where = _place(source)
            own[VARIABLE] = self._read_passphrase(stack, source)
            own[ORIGIN] = f"{where} for stack {stack}"
        return own

    def refuse_made_here(self, stacks: Iterable[str]) -> None:
        """Refuse stacks without a passphrase, because a generated one stays on this machine.

        Raises:
            SecretError: a stack has no passphrase.
        """
        if VARIABLE in self._environ or self._environ.get(_FILE_VARIABLE):
            return
        without = [stack for stack in stacks if self._sources.get(stack) is None]
        if without:
            more = f" and {len(without) - 1} more" if len(without) > 1 else ""
            raise SecretError(
                f"stack {without[0]}{more}: no passphrase is set, and other machines that share "
                "the state could not use a passphrase generated here",
                remedy=f"Write `passphrase` in tenants.yaml, or set {VARIABLE}.",
            )

    def refuse_missing(self, stacks: Iterable[str]) -> None:
        """Refuse stacks whose variable or file has no passphrase. Commands are not run here.

        Raises:
            SecretError: the stacks without a passphrase, all of them.
        """
        missing = []
        for stack in stacks:
            source = self._sources.get(stack)
            if source is not None and source.command is None and not self._read_text(source):
                missing.append(f"stack {stack}: the {_place(source)} has none")
        if missing:
            count = f"{len(missing)} stacks have" if len(missing) > 1 else "1 stack has"
            lines = "\n".join(f"  {line}" for line in missing)
            remedy = "Nothing was changed. Set the variables or write the files."
            raise SecretError(f"{count} no passphrase:\n{lines}", remedy=remedy)

    def sealed_environ_of(self, stack: str) -> dict[str, str]:
        """Return the environment variables of a stack's run without any passphrase."""
        del stack
        hidden = {*self._variables, VARIABLE, _FILE_VARIABLE}
        return {key: value for key, value in self._environ.items() if key not in hidden}

    def _read_passphrase(self, stack: str, source: PassphraseSource) -> str:
        text = self._read_text(source)
        if source.env is not None:
            remedy = f"Set {source.env}."
        elif source.file is not None:
            remedy = f"Write it to {source.file}."
        else:
            remedy = "Run it by itself: it must print the passphrase and exit with 0."
        if not text:
            raise SecretError(
                f"the {_place(source)} has no passphrase for stack {stack}", remedy=remedy
            )
        return text

    def _read_text(self, source: PassphraseSource) -> str:
        """Read a passphrase; empty if its source has none."""
        if source.env is not None:
            return self._environ.get(source.env, "")
        if source.file is not None:
            path = self._root / source.file
            return _line(read_text(path)) if path.exists() else ""
        return self._run_command(source.command or [])

    def _run_command(self, words: list[str]) -> str:
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
        # The output of a failed command is not shown, because it may contain the passphrase.
        return _line(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else ""


def _place(source: PassphraseSource) -> str:
    if source.env is not None:
        return f"environment variable {source.env}"
    if source.file is not None:
        return f"file {source.file}"
    return f"command `{' '.join(source.command or ())}`"


def _line(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
