"""Finds how scripts are reached: Workflows, workers.dev, crons, routes, custom domains."""

from typing import Any

from flowflare.adoption.model import Difference
from flowflare.adoption.thing import Findings, Thing, Wanted
from flowflare.engine.providers.cloudflare.kind import from_api, picked
from flowflare.engine.providers.cloudflare.workers_custom_domain import WorkersCustomDomain
from flowflare.engine.providers.cloudflare.workflow import _COMPUTED
from flowflare.review.drift.account import Account
from flowflare.values.properties import Props


def find_workflow(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The Workflow of that name, whichever class it is tied to."""
    del findings
    name = wanted.text("workflowName")
    row = account.workflows().get(name)
    if row is None:
        return None
    inputs, found = _taken(
        wanted, {"className": row.get("class_name"), "scriptName": row.get("script_name")}
    )
    return Thing(name, inputs, {**picked(row, _COMPUTED), **inputs}, name, found)


def find_subdomain(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Whether a live script answers at workers.dev."""
    del findings
    name = wanted.text("scriptName")
    if name not in account.scripts():
        return None
    row = account.subdomain(name)
    live = {key: bool(row.get(api)) for key, api in _SUBDOMAIN.items()}
    inputs, found = _taken(wanted, live)
    return Thing(wanted.text("accountId"), inputs, dict(inputs), name, found)


_SUBDOMAIN = {"enabled": "enabled", "previewsEnabled": "previews_enabled"}


def find_url(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The URL of a script that answers at workers.dev; another one is made by the next `up`."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts() or not account.subdomain(name).get("enabled"):
        return None
    made = wanted.handler.create(wanted.inputs)
    return Thing(made.id, wanted.inputs, made.outputs, name)


def find_crons(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The cron triggers of a live script, whatever their order."""
    del findings
    name = wanted.text("scriptName")
    if name not in account.scripts():
        return None
    live = sorted(account.schedules(name))
    declared = sorted(str(one["cron"]) for one in wanted.inputs.get("schedules") or ())
    inputs, found = dict(wanted.inputs), list[Difference]()
    if live != declared:
        inputs["schedules"] = [{"cron": cron} for cron in live]
        found = [Difference(path="schedules", declared=declared, account=live)]
    outputs = {**inputs, "schedules": from_api(list(account.cron_triggers(name)))}
    return Thing(name, inputs, outputs, name, found)


def find_cron_cleanup(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the script whose cron triggers are cleared later; nothing is called for it now."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts():
        return None
    made = wanted.handler.create(wanted.inputs)
    return Thing(made.id, dict(wanted.inputs), made.outputs, name, status="kept")


def find_route(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The route with that pattern; one that leads elsewhere stops the adoption."""
    pattern, script = wanted.text("pattern"), wanted.text("script")
    rows = account.routes(wanted.text("zoneId"))
    row = next((one for one in rows if one.get("pattern") == pattern), None)
    if row is None:
        return None
    if row.get("script") != script:
        _elsewhere(findings, f"route {pattern}", row.get("script"), script)
        return None
    outputs = {**picked(row, ("pattern", "script")), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, pattern)


def find_domain(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The custom domain of that hostname; one that leads elsewhere stops the adoption."""
    hostname, script = wanted.text("hostname"), wanted.text("service")
    row = next((one for one in account.domains() if one.get("hostname") == hostname), None)
    if row is None:
        return None
    if row.get("service") != script:
        _elsewhere(findings, f"custom domain {hostname}", row.get("service"), script)
        return None
    outputs = {**picked(row, WorkersCustomDomain.attributes), **wanted.inputs}
    return Thing(str(row["id"]), dict(wanted.inputs), outputs, hostname)


def _elsewhere(findings: Findings, what: str, script: Any, wanted: str) -> None:
    findings.refuse(
        f"{what} leads to the script {script}, not to {wanted}",
        "Delete it or let it lead there, or leave it out of the configuration.",
    )


def _taken(wanted: Wanted, live: Props) -> tuple[Props, list[Difference]]:
    """The declared inputs with what is live, and where the two differ."""
    inputs, found = dict(wanted.inputs), []
    for key, there in live.items():
        declared = inputs.get(key)
        if isinstance(there, bool) and not declared and not there:
            continue
        if declared != there:
            found.append(Difference(path=key, declared=declared, account=there))
            inputs[key] = there
    return inputs, found
