"""Provider of the migrations of a D1 database."""

from collections.abc import Mapping, Sequence

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from flowflare.errors import ApiError
from flowflare.migrations.apply import migrate
from flowflare.migrations.files import Migration, migration
from flowflare.migrations.ledger import Database, read_ledger
from flowflare.migrations.plan import Applied, history_problems
from flowflare.resources.providers.base import STORED_MODULE, CloudflareProvider, Props, gone, kept


class D1MigrationsProvider(CloudflareProvider):
    """The SQL files that a D1 database has had."""

    __module__ = STORED_MODULE

    identity = ("account_id", "database_id")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuses files that were edited, removed or moved after they were applied."""
        if self._replaces(olds, news):
            return CheckResult(news, [])
        old = [Applied(file.name, file.checksum) for file in _files(olds)]
        problems = history_problems(_files(news), old)
        remedy = (
            "Restore applied files as they were and write what should be different into a new "
            "file with the next number."
        )
        failures = [CheckFailure("migrations", f"{problem}. {remedy}") for problem in problems]
        return CheckResult(news, failures)

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compares the files with those in state; another database is another ledger."""
        replaces = self._replaces(olds, news)
        applied = [(row.get("name"), row.get("checksum")) for row in olds.get("applied") or ()]
        wanted = [(file.name, file.checksum) for file in _files(news)]
        return DiffResult(changes=bool(replaces) or applied != wanted, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """The outputs before anything is done: every file will have been applied."""
        rows = [{"name": file.name, "checksum": file.checksum} for file in _files(news)]
        return {name: news.get(name) for name in self.identity} | {"applied": rows}

    def create(self, props: Props) -> CreateResult:
        """Applies what the ledger lacks.

        Raises:
            MigrationError: a file's SQL failed, or the ledger knows other files.
        """
        return CreateResult(props["database_id"], self._migrated(props))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Applies what the ledger lacks; raises as `create` does."""
        return UpdateResult(self._migrated(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Reads the ledger; a database that is gone has none."""
        try:
            applied = read_ledger(self._database(props))
        except ApiError as error:
            if error.status == 404:
                return ReadResult("", {})
            raise
        return ReadResult(id_, kept(props) | {"applied": _rows(applied)}) if applied else gone()

    def _migrated(self, props: Props) -> Props:
        applied = migrate(self._database(props), _files(props))
        outputs = {name: props[name] for name in self.identity}
        return outputs | {"applied": _rows(applied)}

    def _database(self, props: Props) -> Database:
        return Database(self.api(), props["account_id"], props["database_id"])


def _files(props: Props) -> tuple[Migration, ...]:
    return tuple(migration(file["name"], file["sql"]) for file in props.get("migrations") or ())


def _rows(applied: Sequence[Applied]) -> list[Mapping[str, str | None]]:
    return [{"name": row.name, "checksum": row.checksum} for row in applied]
