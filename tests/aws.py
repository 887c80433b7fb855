"""Serve AWS on loopback with moto, so that the boto3 of the code under test uses it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Aws:
    """Its address, and the environment that points boto3 at it."""

    endpoint: str
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def open_client(self, service: str) -> Any:
        import boto3

        if service not in self.clients:
            self.clients[service] = boto3.session.Session(
                aws_access_key_id="testing", aws_secret_access_key="testing"
            ).client(service, region_name="eu-central-1", endpoint_url=self.endpoint)
        return self.clients[service]

    def put_secret(self, name: str, value: str | bytes) -> str:
        """Store a secret, or a new value of a secret; return the ID of the version."""
        client = self.open_client("secretsmanager")
        field_name = "SecretString" if isinstance(value, str) else "SecretBinary"
        try:
            answer = client.create_secret(Name=name, **{field_name: value})
        except client.exceptions.ResourceExistsException:
            answer = client.put_secret_value(SecretId=name, **{field_name: value})
        version: str = answer["VersionId"]
        return version

    def put_parameter(self, name: str, value: str) -> int:
        answer = self.open_client("ssm").put_parameter(
            Name=name, Value=value, Type="SecureString", Overwrite=True
        )
        version: int = answer["Version"]
        return version


@contextmanager
def serve_aws() -> Iterator[Aws]:
    """Run moto's server for the duration of the block."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Aws(f"http://{host}:{port}")
    finally:
        server.stop()
