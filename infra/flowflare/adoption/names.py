"""Recognise parts of a stack that have other names in the account, by what they contain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flowflare.api import Client
from flowflare.config.files import PROJECT_FILE, Project
from flowflare.errors import AdoptionError
from flowflare.kinds.account import Account
from flowflare.kinds.bindings import d1
from flowflare.kinds.live_script import read_references
from flowflare.model.bindings import DATABASE_BINDING
from flowflare.model.class_history import list_classes_after
from flowflare.model.class_migrations import SERVICE_HISTORY
from flowflare.model.client import ClientSpec
from flowflare.model.stack import StackSpec
from flowflare.reading.json_text import parse_json

NAMES: Final = "flowflare:names"
TRACKER_TAG: Final = "flowflare:trackerTag"
_KINDS: Final = ("clients", "workflows")


@dataclass(frozen=True)
class Recognised:
    """A part of the stack that is missing under its name, and candidates for it.

    Attributes:
        key: the key below `flowflare:names`: `service`, `clients.orders`.
        declared: the name in the stack.
        candidates: names in the account.
        why: how they were recognised.
    """

    key: str
    declared: str
    candidates: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        names = " or ".join(self.candidates)
        return f"{self.key}: the account does not have {self.declared}, but {names} {self.why}"


def parse_names(words: Sequence[str], spec: StackSpec) -> dict[str, str]:
    """Parse the names that the user chose, such as `service=tracker`.

    Raises:
        AdoptionError: a word is not of that form, or its key is not a part of the stack.
    """
    workflows = [workflow.name for client in spec.clients for workflow in client.workflows]
    keys = [
        *("service", "database"),
        *(f"clients.{client.name}" for client in spec.clients),
        *(f"workflows.{name}" for name in workflows),
    ]
    chosen = {}
    for word in words:
        key, found, name = word.partition("=")
        if not found or not name or key not in keys:
            raise AdoptionError(
                f"--names {word}: is not KEY=NAME for a part of the stack",
                remedy=f"Use one of these keys: {', '.join(keys)}. Or: --names found",
            )
        chosen[key] = name
    return chosen


def place_names(project: Project, names: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Return the names to write into the stack's file, by path, without those already there.

    Names in `Pulumi.yaml` are included, because a stack's key replaces the project's key entirely.
    """
    value = project.values.get(NAMES)
    before = _flatten(parse_json(value.text)) if value is not None else {}
    wanted = {key: name for key, name in names.items() if before.get(key) != name}
    if wanted and value is not None and value.file == PROJECT_FILE:
        wanted = before | wanted
    return {(NAMES, *key.split(".", 1)): name for key, name in sorted(wanted.items())}


def recognise(
    spec: StackSpec,
    account: Account,
    client: Client,
    chosen: Mapping[str, str],
    owned: Mapping[str, str],
) -> tuple[Recognised, ...]:
    """Find parts of the stack that have other names in the account.

    Args:
        chosen: names that are already chosen.
        owned: the scripts that other stacks manage, with the stack's name; none is a candidate.

    Raises:
        AdoptionError: all services of the account belong to other stacks.
    """
    found: list[Recognised] = []
    service = chosen.get("service", spec.service.script_name)
    if service not in account.scripts():
        wanted = set(list_classes_after(SERVICE_HISTORY))
        rows = [row for row in account.namespaces() if row.get("class") in wanted]
        having = sorted({str(row["script"]) for row in rows if row.get("script")})
        scripts = tuple(script for script in having if script not in owned)
        if having and not scripts:
            listed = ", ".join(f"{script} belongs to stack {owned[script]}" for script in having)
            raise AdoptionError(
                f"the account does not have {service}, and {listed}",
                remedy="Two stacks with the same resource undo each other's changes. To create a "
                "service of this stack, run `up`, or adopt with --names declared.",
            )
        if not scripts:
            return ()
        classes = ", ".join(sorted(wanted))
        found.append(Recognised("service", service, scripts, f"has the class {classes}"))
        if len(scripts) > 1:
            return tuple(found)
        service = scripts[0]
    found += _recognise_database(spec, account, service, chosen)
    found += _recognise_clients(spec, account, client, service, chosen, owned)
    return tuple(found)


def _recognise_database(
    spec: StackSpec, account: Account, service: str, chosen: Mapping[str, str]
) -> list[Recognised]:
    declared = chosen.get("database", spec.service.database_name)
    if account.database_named(declared) is not None:
        return []
    for binding in account.settings(service).get("bindings") or ():
        if binding.get("type") == d1.BINDING.name and binding.get("name") == DATABASE_BINDING:
            uuid = str(binding.get("id") or binding.get("database_id"))
            row = account.database(uuid)
            if row is not None:
                why = f"is bound to {service} as {DATABASE_BINDING}"
                return [Recognised("database", declared, (str(row["name"]),), why)]
    return []


def _recognise_clients(
    spec: StackSpec,
    account: Account,
    client: Client,
    service: str,
    chosen: Mapping[str, str],
    owned: Mapping[str, str],
) -> list[Recognised]:
    declared = {
        spec_client.name: chosen.get(f"clients.{spec_client.name}", spec_client.script_name)
        for spec_client in spec.clients
    }
    taken = {*declared.values(), *owned, service}
    references = read_references(client, spec.account_id, service)
    free = sorted({reference.script for reference in references} - taken)
    free = [script for script in free if script in account.scripts()]
    found: list[Recognised] = []
    for client_spec in spec.clients:
        script = declared[client_spec.name]
        if script not in account.scripts():
            recognised = _recognise_client(client_spec, script, account, service, free, spec)
            found += recognised
            names = recognised[0].candidates if recognised else ()
            script = names[0] if len(names) == 1 else script
        found += _recognise_workflows(client_spec, script, account, chosen)
    return found


def _recognise_client(
    client_spec: ClientSpec,
    declared: str,
    account: Account,
    service: str,
    free: Sequence[str],
    spec: StackSpec,
) -> list[Recognised]:
    key = f"clients.{client_spec.name}"
    classes = {workflow.class_name for workflow in client_spec.workflows}
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


def _recognise_workflows(
    client_spec: ClientSpec, script: str, account: Account, chosen: Mapping[str, str]
) -> list[Recognised]:
    live = account.workflows()
    found = []
    for workflow in client_spec.workflows:
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


def _flatten(names: Mapping[str, object]) -> dict[str, str]:
    flat = {key: name for key, name in names.items() if isinstance(name, str)}
    for kind in _KINDS:
        inner = names.get(kind)
        if isinstance(inner, dict):
            flat |= {f"{kind}.{key}": str(name) for key, name in inner.items()}
    return flat
