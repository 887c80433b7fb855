"""Drive Debian's Chromium over its own debugging protocol.

The protocol is Chrome's (chromedevtools.github.io/devtools-protocol): commands and events are JSON
over one WebSocket. The browser writes the socket's address into its profile folder.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import PATIENCE, wait_until

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    """Find Chromium; None if it is not installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """An open page, and the requests that it has made."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._number = 0
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def open(self, file: Path, width: int, *, dark: bool = False) -> None:
        """Load a file into a window of a given width, and open all its folds."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=file.as_uri())
        self._wait_for("Page.loadEventFired")
        self.value("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    def value(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, file: Path) -> None:
        """Write the whole page as a PNG."""
        found = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(call | {"sessionId": self._session}))
        while True:
            said = self._next()
            if said.get("id") == self._number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    def _wait_for(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._socket.recv(timeout=PATIENCE))
        params = said.get("params", {})
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.dialogs.append(params["message"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
        return said


@contextmanager
def browsing(program: str) -> Iterator[Page]:
    """Start a browser with one page, and close both afterwards."""
    with tempfile.TemporaryDirectory(prefix="flowflare-browser-", ignore_cleanup_errors=True) as at:
        profile = Path(at)
        words = [
            *(program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
            *("--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--no-default-browser-check", "--hide-scrollbars", "--mute-audio"),
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        process = subprocess.Popen(
            [*words, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with connect(_address(profile, process), max_size=None) as socket:
                yield _page(socket)
                with suppress(OSError):
                    socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
                    process.wait(timeout=5)
        finally:
            process.kill()
            process.wait()


def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    file = profile / "DevToolsActivePort"

    def read() -> list[str]:
        return file.read_text("utf-8").split("\n") if file.is_file() else []

    port, path, *_ = wait_until(read, lambda lines: len(lines) >= 2, process=process)
    return f"ws://127.0.0.1:{port}{path}"


def _page(socket: ClientConnection) -> Page:
    def ask(number: int, method: str, **params: Any) -> Any:
        socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (said := json.loads(socket.recv(timeout=PATIENCE))).get("id") != number:
            pass
        return said["result"]

    target = ask(1_000_001, "Target.createTarget", url="about:blank")["targetId"]
    found = ask(1_000_002, "Target.attachToTarget", targetId=target, flatten=True)
    return Page(socket, found["sessionId"])
