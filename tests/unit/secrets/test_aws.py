"""AWS Secrets Manager and the Parameter Store, on moto's server."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from flowflare.errors import SecretError
from flowflare.model.secret_sources import AwsParameterSource, AwsSecretSource, SecretSource
from flowflare.secrets.sources import Place, Seen, Value, fetch, look
from tests.aws import Aws

HERE = Place(Path(), {})


def identify(source: SecretSource) -> Seen:
    return look(source, HERE, name="TOKEN", key="key")


@pytest.fixture
def name() -> str:
    return f"shop/{uuid4().hex}"


def test_a_secret_has_a_version_that_changes_with_its_value(aws: Aws, name: str) -> None:
    source = AwsSecretSource(secret_id=name)
    first = aws.put_secret(name, "one")
    assert identify(source) == Seen(version=first)
    second = aws.put_secret(name, "two")
    assert identify(source) == Seen(version=second)
    assert fetch(source, HERE) == Value("two", second)
    assert fetch(source, HERE, version=first).text == "one"
    assert fetch(AwsSecretSource(secret_id=name, version=first), HERE).text == "one"


def test_a_key_of_a_json_secret_is_its_value(aws: Aws, name: str) -> None:
    aws.put_secret(name, json.dumps({"password": "word", "port": 5432, "list": [1, 2]}))
    values = {
        key: fetch(AwsSecretSource(secret_id=name, key=key), HERE).text
        for key in ("password", "port", "list")
    }
    assert values == {"password": "word", "port": "5432", "list": "[1,2]"}


def test_a_parameter_has_a_number_for_each_value(aws: Aws, name: str) -> None:
    source = AwsParameterSource(name=f"/{name}")
    aws.put_parameter(f"/{name}", "one")
    assert identify(source) == Seen(version="1")
    aws.put_parameter(f"/{name}", "two")
    assert identify(source) == Seen(version="2")
    assert fetch(source, HERE) == Value("two", "2")
    assert fetch(AwsParameterSource(name=f"/{name}", version=1), HERE).text == "one"


def test_a_refusal_of_aws_becomes_an_error_with_a_remedy(aws: Aws, name: str) -> None:
    aws.put_secret(name, json.dumps({"other": "canary"}))
    aws.put_secret(f"{name}-text", "canary")
    aws.put_secret(f"{name}-binary", b"\xff")
    aws.put_parameter(f"/{name}", "canary")
    sources: dict[SecretSource, str] = {
        AwsSecretSource(secret_id="gone"): "AWS secret gone does not exist",
        AwsSecretSource(secret_id=name, version="0" * 32): "does not exist, or not in this version",
        AwsSecretSource(secret_id=name, key="token"): "has no key token",
        AwsSecretSource(secret_id=f"{name}-text", key="token"): "is not JSON, so it has no key",
        AwsSecretSource(secret_id=f"{name}-binary"): "is not UTF-8 text",
        AwsParameterSource(name="/gone"): "AWS parameter /gone does not exist",
        AwsParameterSource(name=f"/{name}", version=7): "has no such version",
    }
    for source, said in sources.items():
        with pytest.raises(SecretError) as caught:
            fetch(source, HERE)
        assert said in caught.value.message
        assert caught.value.remedy
        assert "canary" not in str(caught.value)


def test_errors_name_the_missing_aws_settings(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    source = AwsParameterSource(name="/a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SecretError, match="cannot be read from AWS"):
        identify(source)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(SecretError, match="needs AWS credentials") as caught:
        identify(source)
    assert "AWS_PROFILE" in str(caught.value)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(SecretError, match="needs an AWS region"):
        identify(source)
