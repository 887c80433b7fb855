"""Hold the rules of secrets: a change creates a live version, unless a newer version exists."""

from collections.abc import Mapping

from flowflare.emulator import codes
from flowflare.emulator.services.scripts import bindings as rules
from flowflare.emulator.services.scripts.script import Binding
from flowflare.emulator.services.scripts.store import ScriptsStore

_MAX_CHANGES = 100


class SecretsStore:
    """Store the secrets of all scripts."""

    def __init__(self, scripts: ScriptsStore) -> None:
        self._scripts = scripts

    def list_secrets(self, account: str, script: str) -> list[Binding]:
        """List a script's secrets, by name. Refusal: 10007."""
        return [
            binding
            for binding in self._scripts.get(account, script).bindings
            if rules.is_secret(binding)
        ]

    def get(self, account: str, script: str, name: str) -> Binding:
        """Return a script's secret of that name.

        Raises:
            Refusal: 10007 unknown script, 10056 unknown secret.
        """
        matching = [item for item in self.list_secrets(account, script) if item["name"] == name]
        if not matching:
            raise codes.secret_not_found(name)
        return matching[0]

    def put(self, account: str, script: str, secret: Binding) -> None:
        """Set one secret.

        Raises:
            Refusal: 10007 unknown script, 10053 a binding of another type has the name, 10215 a
                newer version is not deployed yet.
        """
        self.patch(account, script, {str(secret["name"]): secret})

    def delete(self, account: str, script: str, name: str) -> None:
        """Delete one secret. Refusal: 10007, 10056 or 10215."""
        self.get(account, script, name)
        self.patch(account, script, {name: None})

    def patch(self, account: str, script: str, wanted: Mapping[str, Binding | None]) -> None:
        """Set and delete secrets in one transaction; others stay.

        Args:
            wanted: the secrets by name; None deletes a secret if it exists.

        Raises:
            Refusal: as for `put`, or 10001 too many at once.
        """
        if len(wanted) > _MAX_CHANGES:
            raise codes.invalid_body(f"At most {_MAX_CHANGES} secrets can be changed at once.")
        live = self._scripts.get(account, script).bindings
        for binding in live:
            if binding["name"] in wanted and not rules.is_secret(binding):
                raise codes.binding_name_twice(str(binding["name"]))
        unchanged = [binding for binding in live if binding["name"] not in wanted]
        bound = [*unchanged, *(secret for secret in wanted.values() if secret is not None)]
        self._scripts.edit(account, script, bound, codes.secret_edit_refused())
