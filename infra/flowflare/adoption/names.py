"""Recognises a stack's parts under other names than the rule's, by what they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flowflare.api import Client
from flowflare.config.files import PROJECT_FILE, Project
from flowflare.errors import AdoptionError
from flowflare.kinds.account import Account
from flowflare.kinds.live_script import read_references
from flowflare.model.bindings import DATABASE_BINDING
from flowflare.model.class_history import classes_after
from flowflare.model.class_migrations import SERVICE_HISTORY
from flowflare.model.client import ClientSpec
from flowflare.model.stack import StackSpec
from flowflare.reading.json_text import parse_json

NAMES: Final = "flowflare:names"
TRACKER_TAG: Final = "flowflare:trackerTag"
_KINDS: Final = ("clients", "workflows")


@dataclass(frozen=True)
class Recognised:
    """A part of the stack that the account does not have under its name, and what may be it.

    Attributes:
        key: below `flowflare:names`: `service`, `clients.orders`.
        declared: the name that the stack gives it.
        candidates: names in the account.
        why: by what they were recognised.
    """

    key: str
    declared: str
    candidates: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        names = " or ".join(self.candidates)
        return f"{self.key}: the account has no {self.declared}, and {names} {self.why}"


def parsed_names(words: Sequence[str], spec: StackSpec) -> dict[str, str]:
    """The names that somebody chose, `service=tracker` and so on.

    Raises:
        AdoptionError: a word is none of that form, or no part of the stack has the key.
    """
    workflows = [one.name for client in spec.clients for one in client.workflows]
    keys = [
        *("service", "database"),
        *(f"clients.{one.name}" for one in spec.clients),
        *(f"workflows.{name}" for name in workflows),
    ]
    chosen = {}
    for word in words:
        key, found, name = word.partition("=")
        if not found or not name or key not in keys:
            raise AdoptionError(
                f"--names {word}: is no choice of a name",
                remedy=f"Write KEY=NAME with a KEY of: {', '.join(keys)}. Or: --names found",
            )
        chosen[key] = name
    return chosen


def written_names(project: Project, names: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Where names go in the stack's file; those that stand there already are left out.

    Names that stand in `Pulumi.yaml` come along: a stack's key replaces the project's key whole.
    """
    value = project.values.get(NAMES)
    before = _flat(parse_json(value.text)) if value is not None else {}
    wanted = {key: name for key, name in names.items() if before.get(key) != name}
    if wanted and value is not None and value.file == PROJECT_FILE:
        wanted = before | wanted
    return {(NAMES, *key.split(".", 1)): name for key, name in sorted(wanted.items())}


def recognise(
    spec: StackSpec, account: Account, client: Client, chosen: Mapping[str, str]
) -> tuple[Recognised, ...]:
    """What the account has under other names than the stack gives.

    Args:
        spec: the stack.
        account: the account.
        client: the API.
        chosen: names that are chosen already.
    """
    found: list[Recognised] = []
    service = chosen.get("service", spec.service.script_name)
    if service not in account.scripts():
        wanted = set(classes_after(SERVICE_HISTORY))
        rows = [one for one in account.namespaces() if one.get("class") in wanted]
        scripts = tuple(sorted({str(one["script"]) for one in rows if one.get("script")}))
        if not scripts:
            return ()
        classes = ", ".join(sorted(wanted))
        found.append(Recognised("service", service, scripts, f"has the class {classes}"))
        if len(scripts) > 1:
            return tuple(found)
        service = scripts[0]
    found += _database(spec, account, service, chosen)
    found += _clients(spec, account, client, service, chosen)
    return tuple(found)


def _database(
    spec: StackSpec, account: Account, service: str, chosen: Mapping[str, str]
) -> list[Recognised]:
    declared = chosen.get("database", spec.service.database_name)
    if account.database_named(declared) is not None:
        return []
    for binding in account.settings(service).get("bindings") or ():
        if binding.get("type") == "d1" and binding.get("name") == DATABASE_BINDING:
            uuid = str(binding.get("id") or binding.get("database_id"))
            row = account.database(uuid)
            if row is not None:
                why = f"is bound to {service} as {DATABASE_BINDING}"
                return [Recognised("database", declared, (str(row["name"]),), why)]
    return []


def _clients(
    spec: StackSpec,
    account: Account,
    client: Client,
    service: str,
    chosen: Mapping[str, str],
) -> list[Recognised]:
    declared = {
        one.name: chosen.get(f"clients.{one.name}", one.script_name) for one in spec.clients
    }
    taken = {*declared.values(), service}
    references = read_references(client, spec.account_id, service)
    free = sorted({one.script for one in references} - taken)
    free = [one for one in free if one in account.scripts()]
    found: list[Recognised] = []
    for one in spec.clients:
        script = declared[one.name]
        if script not in account.scripts():
            recognised = _client(one, script, account, service, free, spec)
            found += recognised
            names = recognised[0].candidates if recognised else ()
            script = names[0] if len(names) == 1 else script
        found += _workflows(one, script, account, chosen)
    return found


def _client(
    one: ClientSpec,
    declared: str,
    account: Account,
    service: str,
    free: Sequence[str],
    spec: StackSpec,
) -> list[Recognised]:
    key = f"clients.{one.name}"
    classes = {workflow.class_name for workflow in one.workflows}
    running = {
        str(row["script_name"])
        for row in account.workflows().values()
        if row.get("class_name") in classes and row.get("script_name") in free
    }
    if running:
        why = f"runs a Workflow of the class {', '.join(sorted(classes))}"
        return [Recognised(key, declared, tuple(sorted(running)), why)]
    if free and len(spec.clients) == 1 and not classes:
        return [Recognised(key, declared, tuple(free), f"is bound to {service}")]
    return []


def _workflows(
    one: ClientSpec, script: str, account: Account, chosen: Mapping[str, str]
) -> list[Recognised]:
    live = account.workflows()
    found = []
    for workflow in one.workflows:
        key = f"workflows.{workflow.name}"
        declared = chosen.get(key, workflow.workflow_name)
        names = [
            name
            for name, row in live.items()
            if (row.get("script_name"), row.get("class_name")) == (script, workflow.class_name)
        ]
        if declared not in live and names:
            why = f"is tied to {workflow.class_name} of {script}"
            found.append(Recognised(key, declared, tuple(sorted(names)), why))
    return found


def _flat(names: Mapping[str, object]) -> dict[str, str]:
    flat = {key: name for key, name in names.items() if isinstance(name, str)}
    for kind in _KINDS:
        inner = names.get(kind)
        if isinstance(inner, dict):
            flat |= {f"{kind}.{key}": str(name) for key, name in inner.items()}
    return flat
