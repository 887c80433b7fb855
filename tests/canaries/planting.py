"""Plants canaries in every position of a recorded state, sealed as the Pulumi CLI seals secrets."""

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
    """Make a state in which every secret holds canaries, with more secrets at every depth.

    Args:
        exported: what `pulumi stack export` printed.
        plant: makes the canary of a position.
        vault: seals what is planted; that of the recording when left out.
    """
    planted = copy.deepcopy(dict(exported))
    opened = open_vault(exported)
    planter = _Planter(opened, vault or opened, plant)
    deployment = planted["deployment"]
    deployment["secrets_providers"]["state"]["salt"] = (vault or opened).salt
    for record in deployment["resources"]:
        planter.fill(record)
    # As a killed run leaves it: an operation on the last resource, which keeps its own record.
    interrupted = copy.deepcopy(deployment["resources"][-1])
    planter.fill_again(interrupted, "pending ")
    deployment["pending_operations"] = [{"resource": interrupted, "type": "updating"}]
    return planted


def positions(exported: Any) -> Iterator[dict[str, Any]]:
    """Every outermost secret of a state, to be changed in place."""
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
        opener: opens what the recording has.
        vault: seals what is planted.
        plant: makes the canary of a position.
    """

    def __init__(self, opener: Vault, vault: Vault, plant: Plant) -> None:
        self._opener = opener
        self._vault = vault
        self._plant = plant

    def fill(self, record: dict[str, Any]) -> None:
        """Put canaries in place of the secrets that a record has, and add secrets of every form."""
        name = record["urn"].rpartition("::")[2]
        for part in ("inputs", "outputs"):
            if part in record:
                record[part] = {
                    key: self._sealed(value, f"{name} {part} {key}")
                    for key, value in record[part].items()
                }
        self.fill_again(record)

    def fill_again(self, record: dict[str, Any], where: str = "") -> None:
        """Add secrets of every form to a record."""
        name = where + record["urn"].rpartition("::")[2]
        for part in ("inputs", "outputs"):
            if part in record:
                record[part]["planted"] = self._more(f"{name} {part}")

    def _sealed(self, value: Any, where: str) -> Any:
        """The value with other contents of its secrets."""
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            opened = json.loads(self._opener.open_text(value["ciphertext"]))
            # Of what an input lacks the plugin notes a secret null.
            return self._secret(self._changed("" if opened is None else opened, where))
        if isinstance(value, dict):
            return {key: self._sealed(item, f"{where} {key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._sealed(item, where) for item in value]
        return value

    def _changed(self, value: Any, where: str) -> Any:
        """The content of a secret with canaries for its texts."""
        if isinstance(value, str):
            return self._plant(where, *([""] if where.endswith(_SENT_IN_A_HEADER) else []))
        if isinstance(value, list):
            return [self._changed(item, where) for item in value]
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            inner = self._changed(json.loads(value["ciphertext"]), f"{where} inside")
            return {SIGNATURE: SECRET, "ciphertext": json.dumps(inner)}
        if isinstance(value, dict):
            return {
                key: item if key in KEPT_OF_A_BINDING else self._changed(item, f"{where} {key}")
                for key, item in value.items()
            }
        return value

    def _more(self, where: str) -> Any:
        """Secrets in maps and lists, and secrets inside a secret."""
        inside = {SIGNATURE: SECRET, "ciphertext": json.dumps(self._plant(f"{where} inside"))}
        return {
            "plain": self._secret(self._plant(f"{where} plain")),
            "list": [self._secret(self._plant(f"{where} list")), 1],
            "deep": {"er": {"still": self._secret({"text": self._plant(f"{where} deep")})}},
            "named": self._secret([{"name": "A", "text": inside}, {"name": "B", "text": "b"}]),
        }

    def _secret(self, value: Any) -> dict[str, str]:
        return {SIGNATURE: SECRET, "ciphertext": self._vault.seal_text(json.dumps(value))}
