"""The rules of secrets: each change makes a new live version, and none where one waits."""

from collections.abc import Mapping

from flowflare.emulator import codes
from flowflare.emulator.services.scripts import bindings as rules
from flowflare.emulator.services.scripts.script import Binding
from flowflare.emulator.services.scripts.store import ScriptsStore

_MOST = 100


class SecretsStore:
    """Secrets of all scripts.

    Args:
        scripts: whose secrets they are.
    """

    def __init__(self, scripts: ScriptsStore) -> None:
        self._scripts = scripts

    def of(self, account: str, script: str) -> list[Binding]:
        """A script's secrets, by name.

        Raises:
            Refusal: 10007.
        """
        return [
            each for each in self._scripts.get(account, script).bindings if rules.is_secret(each)
        ]

    def get(self, account: str, script: str, name: str) -> Binding:
        """A script's secret of that name.

        Raises:
            Refusal: 10007 no script, 10056 no secret.
        """
        found = [each for each in self.of(account, script) if each["name"] == name]
        if not found:
            raise codes.secret_not_found(name)
        return found[0]

    def put(self, account: str, script: str, secret: Binding) -> None:
        """Sets one secret.

        Raises:
            Refusal: 10007 no script, 10053 a binding of another type has the name, 10215 a later
                version waits to be deployed.
        """
        self.patch(account, script, {str(secret["name"]): secret})

    def delete(self, account: str, script: str, name: str) -> None:
        """Removes one secret.

        Raises:
            Refusal: 10007, 10056 or 10215.
        """
        self.get(account, script, name)
        self.patch(account, script, {name: None})

    def patch(self, account: str, script: str, wanted: Mapping[str, Binding | None]) -> None:
        """Sets and removes secrets, all or none; those that are not named stay.

        Args:
            account: the account.
            script: the script's name.
            wanted: the secrets by name; None removes one, if it is there.

        Raises:
            Refusal: as for `put`, or 10001 too many at once.
        """
        if len(wanted) > _MOST:
            raise codes.invalid_body(f"At most {_MOST} secrets can be changed at once.")
        live = self._scripts.get(account, script).bindings
        for each in live:
            if each["name"] in wanted and not rules.is_secret(each):
                raise codes.binding_name_twice(str(each["name"]))
        kept = [each for each in live if each["name"] not in wanted]
        bound = [*kept, *(each for each in wanted.values() if each is not None)]
        self._scripts.edit(account, script, bound, codes.secret_edit_refused())
