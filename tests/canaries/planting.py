"""Plants canaries in all secrets of a recorded state, encrypted like those of the Pulumi CLI."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from flowflare.state.passphrase import Vault
from flowflare.values.wire import SECRET, SIGNATURE
from tests.engine.recorded import open_vault


class Plant(Protocol):
    """Makes the canary of a position, `Canaries.plant`."""

    def __call__(self, what: str, /, *tail: str) -> str: ...


_SENT_IN_A_HEADER = "api_key"
KEPT_OF_A_BINDING = frozenset({"name", "type"})


def plant_everywhere(
    exported: Mapping[str, Any], plant: Plant, vault: Vault | None = None
) -> dict[str, Any]:
    """Make a state in which all secrets hold canaries, with additional secrets at each depth.

    Args:
        exported: the output of `pulumi stack export`.
        plant: makes the canary of a position.
        vault: encrypts the canaries; by default the vault of the recording.
    """
    planted = copy.deepcopy(dict(exported))
    opened = open_vault(exported)
    planter = _Planter(opened, vault or opened, plant)
    deployment = planted["deployment"]
    deployment["secrets_providers"]["state"]["salt"] = (vault or opened).salt
    for record in deployment["resources"]:
        planter.fill(record)
    # Like a killed run: a pending operation on the last resource, which keeps its own record.
    interrupted = copy.deepcopy(deployment["resources"][-1])
    planter.fill_again(interrupted, "pending ")
    deployment["pending_operations"] = [{"resource": interrupted, "type": "updating"}]
    return planted


def find_secrets(exported: Any) -> Iterator[dict[str, Any]]:
    """Yield each outermost secret of a state, to be changed in place."""
    stack: list[Any] = [exported]
    while stack:
        value = stack.pop()
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            yield value
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


class _Planter:
    """Fills records.

    Args:
        opener: decrypts the secrets of the recording.
        vault: encrypts the canaries.
        plant: makes the canary of a position.
    """

    def __init__(self, opener: Vault, vault: Vault, plant: Plant) -> None:
        self._opener = opener
        self._vault = vault
        self._plant = plant

    def fill(self, record: dict[str, Any]) -> None:
        """Replace the secrets of a record by canaries, and add secrets of each form."""
        name = record["urn"].rpartition("::")[2]
        for part in ("inputs", "outputs"):
            if part in record:
                record[part] = {
                    key: self._reseal(value, f"{name} {part} {key}")
                    for key, value in record[part].items()
                }
        self.fill_again(record)

    def fill_again(self, record: dict[str, Any], where: str = "") -> None:
        """Add secrets of each form to a record."""
        name = where + record["urn"].rpartition("::")[2]
        for part in ("inputs", "outputs"):
            if part in record:
                record[part]["planted"] = self._add_secrets(f"{name} {part}")

    def _reseal(self, value: Any, where: str) -> Any:
        """Return the value with canaries in its secrets."""
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            opened = json.loads(self._opener.open_text(value["ciphertext"]))
            # For a missing input, the plugin stores a secret null.
            return self._seal(self._replace_texts("" if opened is None else opened, where))
        if isinstance(value, dict):
            return {key: self._reseal(item, f"{where} {key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._reseal(item, where) for item in value]
        return value

    def _replace_texts(self, value: Any, where: str) -> Any:
        """Return the content of a secret with canaries instead of its texts."""
        if isinstance(value, str):
            return self._plant(where, *([""] if where.endswith(_SENT_IN_A_HEADER) else []))
        if isinstance(value, list):
            return [self._replace_texts(item, where) for item in value]
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            inner = self._replace_texts(json.loads(value["ciphertext"]), f"{where} inside")
            return {SIGNATURE: SECRET, "ciphertext": json.dumps(inner)}
        if isinstance(value, dict):
            return {
                key: item
                if key in KEPT_OF_A_BINDING
                else self._replace_texts(item, f"{where} {key}")
                for key, item in value.items()
            }
        return value

    def _add_secrets(self, where: str) -> Any:
        """Return secrets in maps and lists, and secrets inside a secret."""
        inside = {SIGNATURE: SECRET, "ciphertext": json.dumps(self._plant(f"{where} inside"))}
        return {
            "plain": self._seal(self._plant(f"{where} plain")),
            "list": [self._seal(self._plant(f"{where} list")), 1],
            "deep": {"er": {"still": self._seal({"text": self._plant(f"{where} deep")})}},
            "named": self._seal([{"name": "A", "text": inside}, {"name": "B", "text": "b"}]),
        }

    def _seal(self, value: Any) -> dict[str, str]:
        return {SIGNATURE: SECRET, "ciphertext": self._vault.seal_text(json.dumps(value))}
