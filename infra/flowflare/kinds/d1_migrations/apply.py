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
from flowflare.kinds.d1_migrations.plan import is_new_database
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    keep_outputs,
    make_gone_result,
)
from flowflare.migrations.apply import migrate
from flowflare.migrations.baseline import read_objects
from flowflare.migrations.files import Migration, make_migration, order_key
from flowflare.migrations.findings import judge_for_empty
from flowflare.migrations.ledger import (
    DEFAULT_TABLE,
    RemoteDatabase,
    move_ledger,
    read_ledger,
)
from flowflare.migrations.lint import lint
from flowflare.migrations.plan import Applied, find_history_problems


class D1MigrationsProvider(CloudflareProvider):
    """The SQL files that are applied to a D1 database."""

    __module__ = STORED_MODULE

    identity = ("account_id", "database_id")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuse changed files that are applied, and pending files with errors of the linter.

        The applied files are those in state. The database itself is read only if that could
        change the answer: it may have been restored to an earlier time, wrangler may have applied
        files, or it may have no tables.
        """
        known = () if self._replaces(olds, news) else _parse_files(olds)
        old = [Applied(file.name, file.checksum) for file in known]
        files = _parse_files(news)
        is_new = not known and is_new_database(news.get("database_id"))
        problems = _find_problems(files, old, is_empty=is_new)
        in_doubt = problems or _find_problems(files, old, is_empty=True)
        if in_doubt and (live := self._read_live(news)) is not None:
            applied, is_empty = live
            problems = _find_problems(files, applied, is_empty=is_empty)
        return CheckResult(news, [CheckFailure("migrations", problem) for problem in problems])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the files with those in state; another database has another ledger."""
        replaces = self._replaces(olds, news)
        applied = {row.get("name"): row.get("checksum") for row in olds.get("applied") or ()}
        files = _parse_files(news)
        changes = len(applied) != len(files) or any(
            not file.has_checksum(applied.get(file.name)) for file in files
        )
        changes = changes or olds.get("table") != news.get("table")
        return DiffResult(changes=bool(replaces) or changes, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """Return the outputs before the operation: all files will be applied."""
        rows = [{"name": file.name, "checksum": file.checksum} for file in _parse_files(news)]
        return self._list_fixed(news) | {"applied": rows}

    def create(self, props: Props) -> CreateResult:
        """Apply the files that the ledger lacks.

        Raises:
            MigrationError: a file's SQL failed, or the ledger has other files.
        """
        return CreateResult(props["database_id"], self._migrate(props))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """Apply the files that the ledger lacks; raise the same errors as `create`.

        Another table first gets the rows of the table before, so that no file runs again.
        """
        move_ledger(self._database(news), olds.get("table") or DEFAULT_TABLE)
        return UpdateResult(self._migrate(news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the ledger; a database that does not exist has none."""
        try:
            applied = read_ledger(self._database(props))
        except ApiError as error:
            if error.status == 404:
                return ReadResult("", {})
            raise
        rows = sorted(applied, key=lambda row: order_key(row.name))
        return (
            ReadResult(id_, keep_outputs(props) | {"applied": _make_rows(rows)})
            if applied
            else make_gone_result()
        )

    def _migrate(self, props: Props) -> Props:
        applied = migrate(self._database(props), _parse_files(props))
        return self._list_fixed(props) | {"applied": _make_rows(applied)}

    def _database(self, props: Props) -> RemoteDatabase:
        account, database = props["account_id"], props["database_id"]
        return RemoteDatabase(self.api(), account, database, props.get("table"))

    def _list_fixed(self, props: Props) -> Props:
        """Return the outputs that are inputs."""
        table = {"table": props["table"]} if props.get("table") else {}
        return {name: props.get(name) for name in self.identity} | table

    def _read_live(self, props: Props) -> tuple[Sequence[Applied], bool] | None:
        """Read the database's ledger, and whether it is empty; None if it cannot be read."""
        account, database = props.get("account_id"), props.get("database_id")
        if not (self._token and isinstance(account, str) and isinstance(database, str)):
            return None
        # One attempt: a preview does not wait for a database that may not exist.
        once = Connector(Pace(timeout=10, retries=Retries(attempts=1)))
        client = once.open(self._base_url, self._token)
        live = RemoteDatabase(client, account, database, props.get("table"))
        try:
            applied = read_ledger(live)
            return applied, not applied and not read_objects(live)
        except FlowflareError:
            return None


def _find_problems(
    files: Sequence[Migration], applied: Sequence[Applied], *, is_empty: bool
) -> list[str]:
    """Find the mistakes in files: in the applied files' history, and in the pending files' SQL."""
    history = [str(problem) for problem in find_history_problems(files, applied)]
    if history:
        return history
    known = {row.name for row in applied}
    done = [file for file in files if file.name in known]
    waiting = [file for file in files if file.name not in known]
    findings = lint([*done, *waiting], applied=len(done)) if waiting else ()
    judged = judge_for_empty(findings) if is_empty else findings
    return [str(finding) for finding in judged if finding.stops]


def _parse_files(props: Props) -> tuple[Migration, ...]:
    return tuple(
        make_migration(file["name"], file["sql"]) for file in props.get("migrations") or ()
    )


def _make_rows(applied: Sequence[Applied]) -> list[Mapping[str, str | None]]:
    return [{"name": row.name, "checksum": row.checksum} for row in applied]
