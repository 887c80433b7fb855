"""Provider of a secret value that comes from somewhere else, or is generated."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, UpdateResult
from pydantic import SecretStr

from flowflare.errors import SecretError
from flowflare.kinds.provider import STORED_MODULE, CloudflareProvider, Props
from flowflare.model.secret_sources import (
    ConfigSource,
    SecretSource,
    from_wire,
)
from flowflare.secrets.fingerprint import SEALED, fingerprint
from flowflare.secrets.sources import Place, Seen, fetch, look

#: Inputs that hold for one run only, where paths start and whether it is a preview: `check` takes
#: them out, so no state keeps them.
ROOT_INPUT, PREVIEW_INPUT = "__root", "__preview"


class SecretValueProvider(CloudflareProvider):
    """A secret value; its inputs say where it comes from, and tell values apart by fingerprint.

    `check` looks at the source and adds what it sees to the inputs, so that a plan shows which
    secret will change; `create` and `update` fetch the value, which is a secret output.
    """

    __module__ = STORED_MODULE

    # Where relative paths start. `check` comes before `create` and `update` in the same process.
    _root: str = ""

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Adds the fingerprint or AWS's version; refuses a source without a fitting value.

        A preview may run where the value cannot be had; it says so instead of a fingerprint.
        """
        self._root = news.get(ROOT_INPUT) or self._root
        inputs = {
            name: value
            for name, value in news.items()
            if name not in (ROOT_INPUT, PREVIEW_INPUT, "__provider")
        }
        if not _is_text(news.get("value", "")):
            return CheckResult(inputs, [])
        try:
            seen = self._look(olds, news)
        except SecretError as error:
            if not news.get(PREVIEW_INPUT):
                reason = " ".join(filter(None, [f"{error.message}.", error.remedy]))
                return CheckResult(inputs, [CheckFailure("source", reason)])
            seen = Seen(fingerprint=f"[not known here: {error.message}]")
        return CheckResult(inputs | _told(seen), [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compares the source and what `check` saw there."""
        new = news.get("source")
        changes = any(olds.get(name) != news.get(name) for name in ("source", "secret_name"))
        kind = new.get("kind") if isinstance(new, dict) else None
        if kind not in ("generated", "awsSecretsManager", "awsParameter"):
            changes = changes or olds.get("fingerprint") != news.get("fingerprint")
        elif "fingerprint" in news:  # AWS could not be asked in a preview
            changes = True
        return DiffResult(changes=changes or _version(olds) != _version(news))

    def create(self, props: Props) -> CreateResult:
        """Fetches or generates the value.

        Raises:
            SecretError: the source has no value, or none that a Worker can have.
        """
        return CreateResult(props["secret_name"], self._outputs({}, props))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Fetches the value again, or generates another; raises as `create` does."""
        return UpdateResult(self._outputs(olds, news))

    def _look(self, olds: Props, news: Props) -> Seen:
        key = news.get("fingerprint_key")
        if key == SEALED:  # a preview without secrets; whoever makes it knows that none is new
            return Seen(olds.get("fingerprint"), olds.get("version"))
        source, known = _source(news), key if _is_text(key) else None
        seen = look(source, self._place(), name=news["secret_name"], key=known)
        is_new = _version(olds) != seen.version or olds.get("source") != news["source"]
        if seen.version and is_new and not news.get(PREVIEW_INPUT):
            # AWS was asked for the version alone; whether the value fits is to be known now.
            fetch(source, self._place(), version=seen.version)
        return seen

    def _outputs(self, olds: Props, news: Props) -> Props:
        value = fetch(_source(news), self._place(), version=news.get("version"))
        same = olds.get("value") == value.text
        outputs = {
            "secret_name": news["secret_name"],
            "source": news["source"],
            "value": value.text,
            "changed_at": olds["changed_at"] if same else datetime.now(UTC).isoformat()[:19] + "Z",
        }
        key = news.get("fingerprint_key")
        if key:
            outputs["fingerprint"] = fingerprint(key, news["secret_name"], value.text)
        return outputs | ({"version": value.version} if value.version else {})

    def _place(self) -> Place:
        here = Path.cwd()
        folders = [here, *here.parents]
        root = next((one for one in folders if (one / "Pulumi.yaml").is_file()), here)
        return Place(Path(self._root) if self._root else root, os.environ)


def _source(props: Props) -> SecretSource:
    source = from_wire(props["source"])
    if isinstance(source, ConfigSource):
        return source.model_copy(update={"value": SecretStr(props.get("value") or "")})
    return source


def _told(seen: Seen) -> dict[str, Any]:
    told = {"fingerprint": seen.fingerprint, "version": seen.version}
    return {name: value for name, value in told.items() if value is not None}


def _version(props: Mapping[str, Any]) -> Any:
    return props.get("version")


def _is_text(value: object) -> bool:
    return isinstance(value, str)
