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

from flowflare.api import Connector, Pace, Retries
from flowflare.errors import ApiError, FlowflareError
from flowflare.kinds.provider import STORED_MODULE, CloudflareProvider, Props, gone, kept
from flowflare.migrations.apply import migrate
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.ledger import Database, read_ledger
from flowflare.migrations.lint import lint
from flowflare.migrations.plan import Applied, find_history_problems


class D1MigrationsProvider(CloudflareProvider):
    """The SQL files that a D1 database has had."""

    __module__ = STORED_MODULE

    identity = ("account_id", "database_id")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuses applied files that were changed, and pending ones with errors of the linter.

        What was applied is what state says. Only where that leads to a refusal the database
        itself is asked: it may have gone back in time, or wrangler may have been there first.
        """
        known = () if self._replaces(olds, news) else _files(olds)
        old = [Applied(file.name, file.checksum) for file in known]
        problems = _problems(_files(news), old)
        if problems:
            live = self._live_ledger(news)
            problems = problems if live is None else _problems(_files(news), live)
        return CheckResult(news, [CheckFailure("migrations", problem) for problem in problems])

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
        rows = sorted(applied, key=lambda row: row.name)
        return ReadResult(id_, kept(props) | {"applied": _rows(rows)}) if applied else gone()

    def _migrated(self, props: Props) -> Props:
        applied = migrate(self._database(props), _files(props))
        outputs = {name: props[name] for name in self.identity}
        return outputs | {"applied": _rows(applied)}

    def _database(self, props: Props) -> Database:
        return Database(self.api(), props["account_id"], props["database_id"])

    def _live_ledger(self, props: Props) -> tuple[Applied, ...] | None:
        """What the database says it has had; None where it cannot be asked."""
        account, database = props.get("account_id"), props.get("database_id")
        if not (self._token and isinstance(account, str) and isinstance(database, str)):
            return None
        # One try: a preview does not wait for what may not be there.
        once = Connector(Pace(timeout=10, retries=Retries(attempts=1)))
        client = once.open(self._base_url, self._token)
        try:
            return read_ledger(Database(client, account, database))
        except FlowflareError:
            return None


def _problems(files: Sequence[Migration], applied: Sequence[Applied]) -> list[str]:
    """What is wrong with files, given what was applied: their history, and pending ones' SQL."""
    history = [str(problem) for problem in find_history_problems(files, applied)]
    if history:
        return history
    known = {row.name for row in applied}
    done = [file for file in files if file.name in known]
    waiting = [file for file in files if file.name not in known]
    findings = lint([*done, *waiting], applied=len(done)) if waiting else ()
    return [str(finding) for finding in findings if finding.stops]


def _files(props: Props) -> tuple[Migration, ...]:
    return tuple(
        make_migration(file["name"], file["sql"]) for file in props.get("migrations") or ()
    )


def _rows(applied: Sequence[Applied]) -> list[Mapping[str, str | None]]:
    return [{"name": row.name, "checksum": row.checksum} for row in applied]
