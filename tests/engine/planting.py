"""Plants canaries in every position of a recorded state, sealed as the Pulumi CLI seals secrets."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowflare.engine.passphrase import Vault
from flowflare.engine.wire import SECRET, SIGNATURE
from tests.engine.recorded import open_vault

Plant = Callable[[str], str]
Damage = Callable[[dict[str, Any], str], None]
_KEPT_OF_A_BINDING = frozenset({"name", "type"})


def plant_everywhere(exported: Mapping[str, Any], plant: Plant) -> dict[str, Any]:
    """A state in which every secret holds canaries, and with more secrets at every depth.

    Args:
        exported: what `pulumi stack export` printed.
        plant: makes the canary of a position.
    """
    planted = copy.deepcopy(dict(exported))
    planter = _Planter(open_vault(exported), plant)
    deployment = planted["deployment"]
    for record in deployment["resources"]:
        planter.fill(record)
    # As a killed run leaves it: an operation on the last resource, which keeps its own record.
    interrupted = copy.deepcopy(deployment["resources"][-1])
    planter.fill(interrupted, "pending ")
    deployment["pending_operations"] = [{"resource": interrupted, "type": "updating"}]
    return planted


def positions(exported: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every outermost secret of a state, to be changed in place."""
    stack: list[Any] = [exported["deployment"]["resources"]]
    while stack:
        value = stack.pop()
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            yield value
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def damages(vault: Vault) -> dict[str, Damage]:
    """What may be wrong with a secret, by name; each puts a canary into its text."""

    def sealed(secret: dict[str, Any], text: str) -> None:
        secret["ciphertext"] = vault.seal_text(text)

    def inner(secret: dict[str, Any], text: str) -> None:
        sealed(secret, json.dumps({"inner": {SIGNATURE: SECRET, "ciphertext": text}}))

    return {
        "a text that is not sealed": lambda one, text: one.update(ciphertext=text),
        "JSON that is not sealed": lambda one, text: one.update(ciphertext=json.dumps(text)),
        "a sealed text under a foreign key": lambda one, text: one.update(ciphertext=f"v1:{text}"),
        "the form of one": lambda one, text: one.update(ciphertext=f"v1:{text}:{text}"),
        "a list": lambda one, text: one.update(ciphertext=[text]),
        "both forms": lambda one, text: one.update(plaintext=json.dumps(text)),
        "an open text that is not JSON": lambda one, text: (
            one.pop("ciphertext"),
            one.update(plaintext=text),
        )[1],
        "sealed, not JSON": sealed,
        "inside, not JSON": inner,
        "inside, as if sealed": lambda one, text: inner(one, f"v1:{text}:{text}"),
        "inside, an unknown signature": lambda one, text: sealed(
            one, json.dumps({SIGNATURE: text})
        ),
    }


class _Planter:
    """Fills records.

    Args:
        vault: seals what is planted.
        plant: makes the canary of a position.
    """

    def __init__(self, vault: Vault, plant: Plant) -> None:
        self._vault = vault
        self._plant = plant

    def fill(self, record: dict[str, Any], where: str = "") -> None:
        name = where + record["urn"].rpartition("::")[2]
        for part in ("inputs", "outputs"):
            if part in record:
                record[part] = {
                    key: self._sealed(value, f"{name} {part} {key}")
                    for key, value in record[part].items()
                } | {"planted": self._more(f"{name} {part}")}

    def _sealed(self, value: Any, where: str) -> Any:
        """The value with other contents of its secrets."""
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            opened = json.loads(self._vault.open_text(value["ciphertext"]))
            return self._secret(self._changed(opened, where))
        if isinstance(value, dict):
            return {key: self._sealed(item, f"{where} {key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._sealed(item, where) for item in value]
        return value

    def _changed(self, value: Any, where: str) -> Any:
        """The content of a secret with canaries for its texts."""
        if isinstance(value, str):
            return self._plant(where)
        if isinstance(value, list):
            return [self._changed(item, where) for item in value]
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            inner = self._changed(json.loads(value["ciphertext"]), f"{where} inside")
            return {SIGNATURE: SECRET, "ciphertext": json.dumps(inner)}
        if isinstance(value, dict):
            return {
                key: item if key in _KEPT_OF_A_BINDING else self._changed(item, f"{where} {key}")
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
