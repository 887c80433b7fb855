"""Provide a dynamic resource for the engine tests; sample programs import it as `things`.

Each thing is a file in the folder `world` beside the project, and the file's name is its ID.
"""

from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)


class ThingProvider(ResourceProvider):
    """Create files. A new `kind` replaces a thing, a new `value` updates it, and `boom` fails."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        self.world = Path(req.config.require("world"))

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        failures = []
        if news.get("value") == "refused":
            failures.append(CheckFailure("value", "is refused"))
        return CheckResult(news, failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = [key for key in ("kind", "value") if _olds.get(key) != _news.get(key)]
        replaces = ["kind"] if "kind" in changed else []
        return DiffResult(bool(changed), replaces, delete_before_replace=bool(_news.get("dbr")))

    def create(self, props: dict[str, Any]) -> CreateResult:
        self._log("create", props)
        id_ = f"{props['name']}-{props['kind']}"
        return CreateResult(id_, self._write(id_, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        self._log("update", _news)
        return UpdateResult(self._write(_id, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        self._log("delete", _props)
        if _props.get("value") == "undeletable":
            raise ValueError(f"{_id} does not want to go")
        (self.world / _id).unlink(missing_ok=True)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props) if (self.world / id_).exists() else ReadResult("", {})

    def _write(self, id_: str, props: dict[str, Any]) -> dict[str, Any]:
        if props.get("value") == "boom":
            raise ValueError(f"{id_} blew up")
        (self.world / id_).write_text(str(props.get("value")))
        return {**props, "token": f"token-of-{id_}", "size": 5}

    def _log(self, what: str, props: dict[str, Any]) -> None:
        with (self.world / "log").open("a") as log:
            log.write(f"{what} {props['name']}-{props['kind']}\n")


class Thing(Resource, module="test", name="Thing"):
    """A file in the folder `world`."""

    token: pulumi.Output[str]
    value: pulumi.Output[Any]
    size: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        value: Any = None,
        kind: Any = "a",
        opts: pulumi.ResourceOptions | None = None,
        **more: Any,
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["token"])
        props = {"name": name, "value": value, "kind": kind, "token": None, "size": None, **more}
        super().__init__(ThingProvider(), name, props, pulumi.ResourceOptions.merge(secret, opts))
