"""Find what a configuration needs outside the stack, before an `up` changes anything.

These are the values of secrets, and the scripts, classes, databases, queues and buckets that
bindings name. If one is
missing, Cloudflare refuses the upload, but only after other resources were created.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from flowflare.config.files import Project
from flowflare.engine.report import describe_failures
from flowflare.errors import (
    ApiError,
    ConfigError,
    FlowflareError,
    MigrationError,
    Problem,
    SecretError,
    UpdateFailed,
)
from flowflare.values.events import Failure, OnEvent, Plan, warn

if TYPE_CHECKING:
    from flowflare.kinds.access import Access
    from flowflare.kinds.stores import NamedStore
    from flowflare.model.client import BoundSpec, ClientSpec
    from flowflare.model.secret_sources import SecretSource
    from flowflare.model.stack import StackSpec

_CLIENTS: Final = ("flowflare:clients", "flowflare:clientOverrides")
#: Without these words a configuration needs nothing from outside; reading the model costs 0.2 s.
_WORDS: Final = ('"secrets"', '"bindings"', '"tailConsumers"')
_MIGRATIONS: Final = ('"migrations"',)


@dataclass(frozen=True)
class Needs:
    """What a stack needs and lacks.

    Attributes:
        problems: what is missing, in the order of the clients.
        unchecked: sentences about what could not be checked.
    """

    problems: tuple[Problem, ...] = ()
    unchecked: tuple[str, ...] = ()


def find_needs(
    project: Project, environ: Mapping[str, str], open_access: "Callable[[], Access]"
) -> Needs:
    """Find what a stack needs and lacks. The program reports a configuration with mistakes.

    Args:
        environ: the environment, for variables that are sources of secrets.
        open_access: opens the account for reading; not called if there is nothing to look up.
    """
    spec = _read_spec(project, _WORDS)
    if spec is None:
        return Needs()
    problems = [
        problem for client in spec.clients for problem in _check_sources(project, client, environ)
    ]
    wanted = [wanted for client in spec.clients for wanted in _list_wanted(client, spec)]
    if not wanted:
        return Needs(tuple(problems))
    unchecked = []
    try:
        access = open_access()
        access.client  # noqa: B018 -- without a token, none of them can be looked up
    except FlowflareError as error:
        names = ", ".join(dict.fromkeys(f"{each.words} {each.name}" for each in wanted))
        return Needs(tuple(problems), (f"not looked up: {names} ({error.message})",))
    for each in wanted:
        try:
            if not each.is_there(access):
                problems.append(_explain_absent(project, each))
        except ApiError as error:
            unchecked.append(f"not looked up: {each.words} {each.name} ({error.message})")
    return Needs(tuple(problems), tuple(unchecked))


def require_needs(
    project: Project,
    environ: Mapping[str, str],
    open_access: "Callable[[], Access]",
    on_event: OnEvent | None,
) -> None:
    """Refuse an `up` that lacks something, before it changes anything.

    Raises:
        ConfigError: something is missing; the error lists everything that is.
    """
    needs = find_needs(project, environ, open_access)
    for text in needs.unchecked:
        warn(on_event, text)
    if needs.problems:
        raise ConfigError(needs.problems)


def has_doubtful_sql(project: Project) -> bool:
    """Return whether D1 would refuse the SQL of a client's migrations in a new database.

    Only a preview knows whether it is refused: the database may have the tables already.
    """
    spec = _read_spec(project, _MIGRATIONS)
    if spec is None:
        return False
    from flowflare.migrations.files import read_migrations
    from flowflare.migrations.findings import judge_for_empty
    from flowflare.migrations.lint import lint

    databases = [database for client in spec.clients for database in client.databases]
    for database in databases:
        if database.migrations is None:
            continue
        try:
            files = read_migrations(project.root / database.migrations, database.pattern)
        except MigrationError:
            return True
        if any(finding.stops for finding in judge_for_empty(lint(files))):
            return True
    return False


def refuse_known_failures(failures: Sequence[Failure]) -> None:
    """Refuse an `up` if a preview shows that a resource would fail.

    A protected resource does not stop it: the others are changed, as with the Pulumi CLI.

    Raises:
        UpdateFailed: a resource would fail; lists all of them.
    """
    causes = [failure for failure in failures if failure.kind == "failed"]
    if causes:
        error = describe_failures(causes)
        raise UpdateFailed(error.message, remedy="Nothing was changed: put the cause right first.")


def add_needs(plan: Plan, needs: Needs) -> Plan:
    """Add what is missing to a plan, as operations that `up` would refuse."""
    failures = [
        Failure(urn="", name=problem.place, type="configuration", reason=_join(problem))
        for problem in needs.problems
    ]
    return replace(plan, failures=(*plan.failures, *failures))


def _join(problem: Problem) -> str:
    return f"{problem.message}\n{problem.remedy}" if problem.remedy else problem.message


def _read_spec(project: Project, words: Collection[str]) -> "StackSpec | None":
    """Read the stack's model; None if no client has one of the words, or it has mistakes."""
    texts = {key: value.text for key, value in project.values.items()}
    written = "".join(texts.get(key, "") for key in _CLIENTS)
    if not any(word in written for word in words):
        return None
    from flowflare.config.load import load_stack

    try:
        return load_stack(texts, project=project.name, stack=project.stack, origins=project.places)
    except ConfigError:
        return None


def _check_sources(
    project: Project, client: "ClientSpec", environ: Mapping[str, str]
) -> Iterator[Problem]:
    from flowflare.secrets.sources import Place, look

    for path, source in _list_sources(client):
        try:
            look(source, Place(project.root, environ), name=path[-1], key=None)
        except SecretError as error:
            yield _make_problem(project, (client.name, *path), error.message, error.remedy)


def _list_sources(client: "ClientSpec") -> "Iterator[tuple[tuple[str, ...], SecretSource]]":
    for name, source in client.secrets.items():
        yield ("secrets", name), source
    for bound in client.bindings:
        for field, source in bound.secrets.items():
            yield ("bindings", bound.name, field), source
    for own in client.own:
        for field, source in own.secrets.items():
            yield ("bindings", own.binding, field), source


@dataclass(frozen=True)
class _Wanted:
    """Something outside the stack that a client is bound to.

    Attributes:
        path: the keys below the clients in the configuration.
        is_there: returns whether the account has it.
    """

    path: tuple[str, ...]
    words: str
    name: str
    is_there: "Callable[[Access], bool]"


def _list_wanted(client: "ClientSpec", spec: "StackSpec") -> Iterator[_Wanted]:
    from flowflare.kinds.bindings.registry import find_binding_type

    scripts = {spec.service.script_name, *(each.script_name for each in spec.clients)}
    for bound in client.bindings:
        path = (client.name, "bindings", bound.name)
        # Uploads do not wait for a class's script, but it must be in this stack or in the account.
        for field in find_binding_type(bound.type).script_fields or ("script_name",):
            name = bound.fields.get(field)
            if isinstance(name, str) and name not in scripts and _is_of_account(bound):
                yield _want_script(path, name, spec)
        yield from _want_class(path, bound, spec, scripts)
        yield from _want_by_path(path, bound, spec)
        yield from _want_store(path, bound, spec)
    for name in client.tail_consumers:
        if name not in scripts:
            yield _want_script((client.name, "tailConsumers"), name, spec)


def _is_of_account(bound: "BoundSpec") -> bool:
    return "cross_account_grant" not in bound.fields


def _want_script(path: tuple[str, ...], name: str, spec: "StackSpec") -> _Wanted:
    from flowflare.kinds.live_script import read_tag

    def is_there(access: "Access") -> bool:
        return read_tag(access.client, spec.account_id, name) is not None

    return _Wanted(path, "Worker", name, is_there)


def _want_class(
    path: tuple[str, ...], bound: "BoundSpec", spec: "StackSpec", scripts: set[str]
) -> Iterator[_Wanted]:
    """Yield the Durable Object class that a binding names in a script outside the stack."""
    from flowflare.kinds.bindings.registry import find_binding_type
    from flowflare.kinds.live_script import read_namespaces, read_tag

    class_field = find_binding_type(bound.type).class_field
    script, class_name = bound.fields.get("script_name"), bound.fields.get(class_field)
    if not class_field or script in scripts:
        return

    def is_there(access: "Access") -> bool:
        found = read_namespaces(access.client, spec.account_id)
        # A missing script is reported by itself.
        return (script, class_name) in {(each.script, each.class_name) for each in found} or (
            read_tag(access.client, spec.account_id, str(script)) is None
        )

    yield _Wanted(path, "Durable Object class", f"{script}.{class_name}", is_there)


def _want_by_path(
    path: tuple[str, ...], bound: "BoundSpec", spec: "StackSpec"
) -> Iterator[_Wanted]:
    """Yield what a binding names, if its type says where Cloudflare answers for it."""
    from flowflare.kinds.bindings.registry import find_binding_type

    lookup = find_binding_type(bound.type).lookup
    if lookup is None:
        return
    name = str(bound.fields[lookup.field])
    where = f"/accounts/{spec.account_id}/{lookup.path.format(quote(name, safe=''))}"

    def is_there(access: "Access") -> bool:
        try:
            access.client.call("GET", where)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    yield _Wanted(path, lookup.words, name, is_there)


def _want_store(path: tuple[str, ...], bound: "BoundSpec", spec: "StackSpec") -> Iterator[_Wanted]:
    """Yield the store that a binding names, if a kind of this package can look it up."""
    from flowflare.kinds.bindings.registry import find_binding_type
    from flowflare.kinds.contract import load_apply
    from flowflare.kinds.registry import list_own
    from flowflare.kinds.stores import NamedStore

    target = find_binding_type(bound.type)
    name = bound.fields.get(target.target)
    made = {own.name for client in spec.clients for own in client.own if own.bound_as == bound.type}
    if not isinstance(name, str) or name in made:
        return
    for kind in list_own().values():
        handler = load_apply(kind)
        if kind.own is None or kind.own.bound_as != bound.type or "jurisdiction" in bound.fields:
            continue
        if handler is not None and issubclass(handler, NamedStore):
            has_store = partial(
                _has_store, handler, name, spec.account_id, is_id=target.is_target_id
            )
            yield _Wanted(path, kind.own.words, name, has_store)


def _has_store(
    handler: "type[NamedStore]", name: str, account_id: str, access: "Access", *, is_id: bool
) -> bool:
    from flowflare.kinds.handler import Existing

    if is_id:
        known = Existing(name, {"accountId": account_id}, {})
        return handler(access).read(known) is not None
    return handler(access).recover({"accountId": account_id, handler.title: name}) is not None


def _explain_absent(project: Project, wanted: _Wanted) -> Problem:
    return _make_problem(
        project,
        wanted.path,
        f"the account has no {wanted.words} {wanted.name!r}, and this stack does not make it",
        "Create it first, or correct the name.",
    )


def _make_problem(
    project: Project, path: tuple[str, ...], message: str, remedy: str | None
) -> Problem:
    """Make a problem at the innermost key of the path that the files have."""
    from flowflare.config.problems import Places, full_key

    heads = ("clientOverrides", "clients")
    head = next((head for head in heads if full_key((head, *path)) in project.places), heads[1])
    place = Places(project.places, project.stack).of((head, *path))
    return Problem(place, f"`{full_key((head, *path))}`: {message}", remedy)
