"""The provider of secret values: what a plan sees, what changes a value, what a value costs."""

import base64
import pickle
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.output import Unknown
from pulumi.runtime.proto import provider_pb2

from flowflare.model.secret_sources import (
    AwsSecretSource,
    ConfigSource,
    EnvironmentSource,
    FileSource,
    GeneratedSource,
    SecretSource,
    to_wire,
)
from flowflare.resources.providers import SecretValueProvider
from tests.aws import serve_aws
from tests.unit.resources.dynamic_host import UNKNOWN, serve_host, struct

Props = dict[str, Any]
REFERENCE = base64.b64encode(pickle.dumps(SecretValueProvider(), protocol=4)).decode()
URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/flowflare:SecretValue::token"


def declare(source: SecretSource, **more: Any) -> Props:
    """Make what the program declares."""
    return {
        "secret_name": "TOKEN",
        "source": to_wire(source),
        "fingerprint_key": "key",
    } | more


class Deployed:
    """A secret in an engine from run to run, each with a new provider."""

    def __init__(self) -> None:
        self.inputs: Props = {}
        self.outputs: Props = {}

    def would_change(self, news: Props) -> bool:
        """Return whether a run would change it; raise what `check` refuses."""
        self._provider = SecretValueProvider()
        result = self._provider.check(self.inputs, news)
        assert not result.failures, result.failures[0].reason
        self._checked = result.inputs
        return bool(self._provider.diff("TOKEN", self.outputs, self._checked).changes)

    def up(self, news: Props) -> Props:
        changes = self.would_change(news)
        if not self.outputs:
            self.outputs = self._provider.create(self._checked).outs or {}
        elif changes:
            self.outputs = self._provider.update("TOKEN", self.outputs, self._checked).outs or {}
        self.inputs = self._checked
        return self.outputs


@pytest.fixture
def secret() -> Deployed:
    return Deployed()


def test_a_value_is_fetched_again_when_its_fingerprint_changes(
    secret: Deployed, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("one\n")
    news = declare(FileSource(path="token"), __root=str(tmp_path))
    first = secret.up(news)
    assert first["value"] == "one"
    assert not secret.would_change(news)
    (tmp_path / "token").write_text("two\n")
    assert secret.would_change(news)
    second = secret.up(news)
    assert second["value"] == "two"
    assert second["fingerprint"] == secret.inputs["fingerprint"] != first["fingerprint"]


def test_a_state_has_neither_the_value_nor_the_folder_in_plain_text(
    secret: Deployed, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("canary")
    secret.up(declare(FileSource(path="token"), __root=str(tmp_path), __preview=None))
    # `fingerprint_key` is a secret: `SecretValue` declares it so.
    plain = {name: value for name, value in secret.inputs.items() if name != "fingerprint_key"}
    assert plain == {
        "secret_name": "TOKEN",
        "source": {"kind": "file", "path": "token"},
        "fingerprint": secret.outputs["fingerprint"],
    }


def test_a_value_whose_source_moved_keeps_its_age(
    secret: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_TOKEN", "word")
    secret.up(declare(EnvironmentSource(variable="FF_TOKEN")))
    secret.outputs["changed_at"] = "2026-01-01T00:00:00Z"
    moved = declare(ConfigSource(), value="word")
    assert secret.would_change(moved)
    assert secret.up(moved)["changed_at"] == "2026-01-01T00:00:00Z"
    assert secret.up(declare(ConfigSource(), value="other"))["changed_at"] > "2026-11"


def test_a_generated_value_stays_until_its_generation_changes(secret: Deployed) -> None:
    first = secret.up(declare(GeneratedSource()))["value"]
    assert secret.up(declare(GeneratedSource()))["value"] == first
    assert secret.up(declare(GeneratedSource(generation=2)))["value"] != first


def test_a_source_without_a_value_is_refused_before_any_change() -> None:
    news = declare(EnvironmentSource(variable="FF_NOT_SET"))
    (failure,) = SecretValueProvider().check({}, news).failures
    assert failure.property == "source"
    assert failure.reason == (
        "environment variable FF_NOT_SET is not set. Set FF_NOT_SET in the environment of "
        "this command. In CI, set it from the job's secrets."
    )


def test_a_preview_without_the_value_says_so(secret: Deployed) -> None:
    news = declare(EnvironmentSource(variable="FF_NOT_SET"), __preview=True)
    result = SecretValueProvider().check({}, news)
    assert not result.failures
    said = "[not known here: environment variable FF_NOT_SET is not set]"
    assert result.inputs["fingerprint"] == said
    assert secret.would_change(news)


def test_a_fingerprint_is_unknown_until_its_key_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FF_TOKEN", "word")
    unknown: Any = Unknown()
    news = declare(EnvironmentSource(variable="FF_TOKEN"), fingerprint_key=unknown)
    result = SecretValueProvider().check({}, news)
    assert not result.failures
    assert "fingerprint" not in result.inputs


def test_a_preview_asks_aws_only_for_the_version(
    secret: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_aws() as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        aws.put_secret("shop/token", '{"token": "one"}')
        news = declare(AwsSecretSource(secret_id="shop/token", key="token"))
        assert secret.up(news)["value"] == "one"
        assert not secret.would_change(news)
        # The key is missing: only fetching the value reveals that.
        version = aws.put_secret("shop/token", '{"other": "two"}')
        preview = news | {"__preview": True}
        assert secret.would_change(preview)
        assert SecretValueProvider().check({}, preview).inputs["version"] == version
        (failure,) = SecretValueProvider().check(secret.inputs, news).failures
        assert "AWS secret shop/token has no key token" in failure.reason
    assert secret.would_change(news | {"__preview": True})


def test_pulumis_own_host_serves_the_provider(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "infra").mkdir()
    (tmp_path / "token").write_text("word\n")
    news = declare(FileSource(path="token")) | {"__provider": REFERENCE}
    # The host runs in the program's folder; the project's folder is above it.
    with serve_host({}, cwd=tmp_path / "infra") as host:
        first = news | {"fingerprint_key": UNKNOWN, "__preview": True}
        planned = host.Check(provider_pb2.CheckRequest(urn=URN, news=struct(first)))
        assert not planned.failures
        checked = host.Check(provider_pb2.CheckRequest(urn=URN, news=struct(news)))
        made = host.Create(provider_pb2.CreateRequest(urn=URN, properties=checked.inputs))
        outputs = MessageToDict(made.properties)
        assert (made.id, outputs["value"]) == ("TOKEN", "word")

        (tmp_path / "token").write_text("other\n")
        checked = host.Check(
            provider_pb2.CheckRequest(urn=URN, olds=checked.inputs, news=struct(news))
        )
        request = provider_pb2.DiffRequest(
            id="TOKEN", urn=URN, olds=made.properties, news=checked.inputs
        )
        assert host.Diff(request).changes == provider_pb2.DiffResponse.DIFF_SOME

        (tmp_path / "token").unlink()
        refused = host.Check(provider_pb2.CheckRequest(urn=URN, news=struct(news)))
        assert "file token does not exist" in refused.failures[0].reason
