"""The dynamic providers: what Cloudflare's own provider does not have.

Every state stores this module's path and the classes' names, so neither ever changes. A provider
is pickled as a reference without attributes; token and base URL reach it through `configure`.
`diff` looks at nothing but its arguments and never raises; `check` refuses what inputs alone show
to be wrong, because Pulumi prints a traceback for any other error.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from flowflare.api import Client, connect
from flowflare.errors import ApiError, SecretError
from flowflare.migrations.apply import migrate
from flowflare.migrations.files import Migration, migration
from flowflare.migrations.ledger import Database, read_ledger
from flowflare.migrations.plan import Applied, history_problems
from flowflare.model.class_migrations import from_wire, history_problem
from flowflare.resources.live_script import ScriptUpload, bring_up, read_tag
from flowflare.secrets.generate import generate_api_key

Props = dict[str, Any]

_CLOUDFLARE = "https://api.cloudflare.com/client/v4"


class _CloudflareProvider(ResourceProvider):
    """A provider that calls Cloudflare's API as the stack's configuration says."""

    serialize_as_secret_always = False
    # Class attributes: an instance that is pickled has none of its own.
    _base_url: str = ""
    _token: str = ""
    _client: Client | None = None
    #: Inputs that say which thing it is: another value is another thing.
    identity: ClassVar[tuple[str, ...]] = ()

    def configure(self, req: ConfigureRequest) -> None:
        """Takes base URL and token from the configuration, else from the environment."""
        configured = req.config.get("cloudflare:baseUrl")
        self._base_url = configured or os.environ.get("CLOUDFLARE_BASE_URL") or _CLOUDFLARE
        token = req.config.get("cloudflare:apiToken")
        self._token = token or os.environ.get("CLOUDFLARE_API_TOKEN") or ""

    def api(self) -> Client:
        """The API's client.

        Raises:
            SecretError: there is no token.
        """
        if self._client is None:
            if not self._token:
                remedy = "Run `pulumi config set --secret cloudflare:apiToken`."
                raise SecretError("there is no API token for Cloudflare", remedy=remedy)
            self._client = connect(self._base_url, self._token)
        return self._client

    def _replaces(self, old: Props, new: Props) -> list[str]:
        """The identity that changes; what is unknown yet is made anew, so it changes too."""
        return [name for name in self.identity if _changed(old.get(name), new.get(name))]


class ApiKeyProvider(_CloudflareProvider):
    """A stack's API key: made once, kept in state as a secret."""

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """A key never changes by itself."""
        return DiffResult(changes=False)

    def create(self, props: Props) -> CreateResult:
        """Makes a key. A killed run's key was never stored or bound, so another one is as good."""
        key = generate_api_key(props["environment_name"])
        return CreateResult(key.key_id, _kept(props) | {"key_id": key.key_id, "api_key": key.text})


class D1MigrationsProvider(_CloudflareProvider):
    """The SQL files that a D1 database has had."""

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
        return ReadResult(id_, _kept(props) | {"applied": _rows(applied)}) if applied else _gone()

    def _migrated(self, props: Props) -> Props:
        applied = migrate(self._database(props), _files(props))
        outputs = {name: props[name] for name in self.identity}
        return outputs | {"applied": _rows(applied)}

    def _database(self, props: Props) -> Database:
        return Database(self.api(), props["account_id"], props["database_id"])


class DurableObjectMigrationsProvider(_CloudflareProvider):
    """The Durable Object history of a script; deletes nothing, the script's deletion does."""

    identity = ("account_id", "script_name")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuses a history that is not the old one with steps appended."""
        if self._replaces(olds, news):
            return CheckResult(news, [])
        problem = history_problem(from_wire(olds["history"]), from_wire(news["history"]))
        return CheckResult(news, [CheckFailure("history", problem)] if problem else [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compares the history's last tag with the one in state; the code alone changes nothing."""
        replaces = self._replaces(olds, news)
        history = news.get("history") or [{}]
        changes = bool(replaces) or history[-1].get("tag") != olds.get("migration_tag")
        return DiffResult(changes=changes, replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Uploads the script with its whole history, or finishes what a killed run began.

        Raises:
            ClassMigrationError: the name is taken by a script that this stack did not make.
        """
        tag = bring_up(self.api(), _upload(props), made_by_us=False)
        return CreateResult(_script_id(props), self._outputs(props, tag))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Applies the steps after the live tag and keeps every binding.

        Raises:
            ClassMigrationError: the live tag is not in the history.
        """
        tag = bring_up(self.api(), _upload(news), made_by_us=True)
        return UpdateResult(self._outputs(news, tag))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Reads the live tag."""
        tag = read_tag(self.api(), props["account_id"], props["script_name"])
        return _gone() if tag is None else ReadResult(id_, _kept(props) | {"migration_tag": tag})

    def _outputs(self, props: Props, tag: str) -> Props:
        return {name: props[name] for name in self.identity} | {"migration_tag": tag}


class WorkersDevUrlProvider(_CloudflareProvider):
    """The URL of a script at workers.dev, which no resource of Cloudflare's provider has."""

    identity = ("account_id", "script_name")

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Another script has another URL."""
        replaces = self._replaces(olds, news)
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Asks for the URL.

        Raises:
            ApiError: the script is not there or not enabled at workers.dev.
        """
        outputs = {name: props[name] for name in self.identity}
        return CreateResult(_script_id(props), outputs | {"url": self._url(props)})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Asks again; a script that is gone has none."""
        try:
            return ReadResult(id_, _kept(props) | {"url": self._url(props)})
        except ApiError as error:
            if error.status == 404:
                return _gone()
            raise

    def _url(self, props: Props) -> str:
        account, script = props["account_id"], props["script_name"]
        path = f"/accounts/{account}/workers/scripts/{script}/subdomain"
        answer = self.api().call("GET", path)
        if not answer.get("enabled"):
            # As good as not there: `read` says that it is gone.
            raise ApiError(f"{script}: it is not enabled at workers.dev", status=404)
        if answer.get("url"):
            return str(answer["url"])
        subdomain = self.api().call("GET", f"/accounts/{account}/workers/subdomain")
        return f"https://{script}.{subdomain['subdomain']}.workers.dev"


def _gone() -> ReadResult:
    """What `read` returns for a thing that is not there any more."""
    return ReadResult("", {})


def _is_known(value: object) -> bool:
    return not isinstance(value, Unknown)


def _changed(old: object, new: object) -> bool:
    return not _is_known(new) or old != new


def _kept(props: Props) -> Props:
    return {name: value for name, value in props.items() if name != "__provider"}


def _script_id(props: Props) -> str:
    return f"{props['account_id']}/{props['script_name']}"


def _files(props: Props) -> tuple[Migration, ...]:
    return tuple(migration(file["name"], file["sql"]) for file in props.get("migrations") or ())


def _rows(applied: Sequence[Applied]) -> list[Mapping[str, str | None]]:
    return [{"name": row.name, "checksum": row.checksum} for row in applied]


def _upload(props: Props) -> ScriptUpload:
    return ScriptUpload(
        account_id=props["account_id"],
        script_name=props["script_name"],
        database_id=props["database_id"],
        bindings=tuple(props["bindings"]),
        main_module=props["main_module"],
        content=props["content"],
        compatibility_date=props["compatibility_date"],
        compatibility_flags=tuple(props.get("compatibility_flags") or ()),
        history=from_wire(props["history"]),
    )
