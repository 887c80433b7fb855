"""Provider of a secret value from a source; the value may be generated."""

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

#: Inputs of one run: the folder of relative paths, and whether it is a preview. `check` removes
#: them, so states do not have them.
ROOT_INPUT, PREVIEW_INPUT = "__root", "__preview"


class SecretValueProvider(CloudflareProvider):
    """A secret value; its inputs are its source and a fingerprint that changes with the value.

    `check` looks at the source and adds the fingerprint or version to the inputs, so that a plan
    shows changed secrets. `create` and `update` fetch the value, which is a secret output.
    """

    __module__ = STORED_MODULE

    # The folder of relative paths. `check` runs before `create` and `update` in the same process.
    _root: str = ""

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Add the fingerprint or AWS's version; refuse a source without a suitable value.

        A preview may run where the value is not available; it then adds the reason instead of a
        fingerprint.
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
        return CheckResult(inputs | _make_seen_inputs(seen), [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the source, and the fingerprint or version from `check`."""
        new = news.get("source")
        changes = any(olds.get(name) != news.get(name) for name in ("source", "secret_name"))
        kind = new.get("kind") if isinstance(new, dict) else None
        if kind not in ("generated", "awsSecretsManager", "awsParameter"):
            changes = changes or olds.get("fingerprint") != news.get("fingerprint")
        elif "fingerprint" in news:  # a preview could not reach AWS
            changes = True
        return DiffResult(changes=changes or _version(olds) != _version(news))

    def create(self, props: Props) -> CreateResult:
        """Fetch or generate the value.

        Raises:
            SecretError: the source has no value, or a value that a Worker cannot have.
        """
        return CreateResult(props["secret_name"], self._outputs({}, props))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Fetch the value again, or generate another; raise the same errors as `create`."""
        return UpdateResult(self._outputs(olds, news))

    def _look(self, olds: Props, news: Props) -> Seen:
        key = news.get("fingerprint_key")
        if key == SEALED:  # a preview without secrets, whose caller knows that none is new
            return Seen(olds.get("fingerprint"), olds.get("version"))
        source, known = _parse_source(news), key if _is_text(key) else None
        seen = look(source, self._place(), name=news["secret_name"], key=known)
        is_new = _version(olds) != seen.version or olds.get("source") != news["source"]
        if seen.version and is_new and not news.get(PREVIEW_INPUT):
            # Only the version was read from AWS. Fetch the value now, so that an unsuitable value
            # is refused here.
            fetch(source, self._place(), version=seen.version)
        return seen

    def _outputs(self, olds: Props, news: Props) -> Props:
        value = fetch(_parse_source(news), self._place(), version=news.get("version"))
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
        root = next((folder for folder in folders if (folder / "Pulumi.yaml").is_file()), here)
        return Place(Path(self._root) if self._root else root, os.environ)


def _parse_source(props: Props) -> SecretSource:
    source = from_wire(props["source"])
    if isinstance(source, ConfigSource):
        return source.model_copy(update={"value": SecretStr(props.get("value") or "")})
    return source


def _make_seen_inputs(seen: Seen) -> dict[str, Any]:
    told = {"fingerprint": seen.fingerprint, "version": seen.version}
    return {name: value for name, value in told.items() if value is not None}


def _version(props: Mapping[str, Any]) -> Any:
    return props.get("version")


def _is_text(value: object) -> bool:
    return isinstance(value, str)
