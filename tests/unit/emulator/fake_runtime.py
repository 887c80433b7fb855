"""A Workers runtime without Workers: it returns the answers that it was made with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowflare.emulator.runtime.contract import Deletions, StoreAnswer, StoreRequest
from flowflare.emulator.services.scripts.script import Module


class FakeRuntime:
    """Fulfil `Runtime` for rules of the services that need no workerd.

    Args:
        answers: what `query` and `probe` return, in order.
    """

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.deleted: list[Deletions] = []

    async def publish(self, _account: str, deletions: Deletions | None = None) -> None:
        self.deleted += [deletions] if deletions else []

    async def probe(
        self, _modules: Sequence[Module], *, service_worker: bool, date: str, flags: Sequence[str]
    ) -> Any:
        del service_worker, date, flags
        return self._answers.pop(0)

    async def query(self, _database: str, _queries: list[dict[str, Any]]) -> Any:
        return self._answers.pop(0)

    async def file_of(self, _database: str) -> Path:
        return Path("/nowhere")

    async def measure_bucket(self, _bucket: str) -> dict[str, int]:
        return {"objects": 0, "bytes": 0, "metadata_bytes": 0}

    async def ask_store(self, _request: StoreRequest) -> StoreAnswer:
        raise NotImplementedError

    async def objects_of(self, _namespace: str) -> list[str]:
        return []

    def url(self, account: str, script: str) -> str:
        return f"http://{account}/{script}"
