"""Compares how scripts are reached: crons, workers.dev, routes, custom domains, Workflows."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.engine.providers.cloudflare.kind import to_api
from flowflare.review.drift.account import Account
from flowflare.review.drift.model import Drifted
from flowflare.review.drift.scene import Scene, as_sent, differing, drifted, masked, shown, text
from flowflare.state.checkpoint import Resource
from flowflare.values.properties import UNKNOWN, plain


def compare_addresses(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in how the scripts of a stack are reached."""
    live = account.scripts()
    there = [name for name in scene.scripts if name in live]
    crons, subdomains = (
        scene.by_script("WorkersCronTrigger"),
        scene.by_script("WorkersScriptSubdomain"),
    )
    for name in there:
        yield from _crons(scene.scripts[name], crons.get(name), name, account)
        yield from _subdomain(scene.scripts[name], subdomains.get(name), name, account)
    yield from _routes(scene, account)
    yield from _domains(scene, account)
    yield from _workflows(scene, account)


def _crons(
    script: Resource, one: Resource | None, name: str, account: Account
) -> Iterator[Drifted]:
    live = set(account.schedules(name))
    listed = plain(one.inputs.get("schedules")) if one else []
    if listed is UNKNOWN:
        return
    wanted = {str(each.get("cron")) for each in listed or []}
    about = one or script
    for cron in sorted(wanted - live):
        message = f"cron {cron} of {name} does not run any more"
        path = f'schedules["{cron}"]'
        yield drifted(about, "missing", message, path=path, state=cron, severity="error")
    for cron in sorted(live - wanted):
        message = f"cron {cron} of {name} runs, and state does not know it"
        path = f'schedules["{cron}"]'
        yield drifted(about, "extra", message, path=path, account=cron, action="adopt")


def _subdomain(
    script: Resource, one: Resource | None, name: str, account: Account
) -> Iterator[Drifted]:
    live = account.subdomain(name)
    wanted = to_api(plain(one.inputs)) if one else {}
    for key in ("enabled", "previews_enabled"):
        if wanted.get(key) is UNKNOWN:
            continue
        before, after = bool(wanted.get(key)), bool(live.get(key))
        if before != after:
            what = "workers.dev" if key == "enabled" else "preview URLs"
            said = f"{name}: {what} {'is on' if after else 'is off'}, state says otherwise"
            yield drifted(
                one or script,
                "changed",
                said,
                path=key,
                state=before,
                account=after,
                severity="warning" if after else "error",
            )


def _routes(scene: Scene, account: Account) -> Iterator[Drifted]:
    records = scene.of_kind("WorkersRoute")
    zones = sorted({text(one, "zoneId") for one in records} | _domain_zones(scene))
    known = {one.id for one in records}
    for zone in zones:
        live = {str(each["id"]): each for each in account.routes(zone)}
        for one in records:
            if text(one, "zoneId") == zone:
                yield from _found(one, live.get(one.id), ("pattern", "script"), "route")
        for identity, each in sorted(live.items()):
            if identity not in known and each.get("script") in scene.scripts:
                script = scene.scripts[str(each["script"])]
                message = f"route {each['pattern']} leads to it, and state does not know it"
                yield drifted(
                    script, "extra", message, path="routes", account=dict(each), action="adopt"
                )
    if not zones and scene.scripts:
        scene.unseen.append(
            "Routes are looked for in the zones that the stack names, and it names none."
        )


def _domains(scene: Scene, account: Account) -> Iterator[Drifted]:
    records = scene.of_kind("WorkersCustomDomain")
    live = {str(each["hostname"]): each for each in account.domains()}
    known = {text(one, "hostname") for one in records}
    for one in records:
        yield from _found(one, live.get(text(one, "hostname")), ("service",), "custom domain")
    for hostname, each in sorted(live.items()):
        if hostname not in known and each.get("service") in scene.scripts:
            script = scene.scripts[str(each["service"])]
            message = f"custom domain {hostname} leads to it, and state does not know it"
            yield drifted(
                script, "extra", message, path="domains", account=dict(each), action="adopt"
            )


def _workflows(scene: Scene, account: Account) -> Iterator[Drifted]:
    records = scene.of_kind("Workflow")
    live = account.workflows()
    known = {text(one, "workflowName") for one in records}
    for one in records:
        there = live.get(text(one, "workflowName"))
        yield from _found(one, there, ("className", "scriptName"), "Workflow")
    for name, each in sorted(live.items()):
        if name not in known and each.get("script_name") in scene.scripts:
            script = scene.scripts[str(each["script_name"])]
            message = f"Workflow {name} runs in it, and state does not know it"
            yield drifted(script, "extra", message, path="workflows", account=name, action="remove")


def _found(
    one: Resource, live: Mapping[str, Any] | None, keys: tuple[str, ...], what: str
) -> Iterator[Drifted]:
    """Compares a record with what the account has under its name."""
    wanted = as_sent(one.inputs)
    label = masked(wanted.get("pattern") or wanted.get("hostname") or wanted.get("workflow_name"))
    if live is None:
        message = f"{what} {label} is not in the account"
        yield drifted(one, "missing", message, state=label, severity="error", action="remake")
        return
    for key in (_snake(each) for each in keys):
        for path, before, after in differing(wanted.get(key), live.get(key), key):
            message = f"{what} {label}: {path} is {shown(after)}, state says {shown(before)}"
            yield drifted(
                one, "changed", message, path=path, state=before, account=after, severity="error"
            )


def _domain_zones(scene: Scene) -> set[str]:
    return {text(one, "zoneId") for one in scene.of_kind("WorkersCustomDomain")} - {""}


def _snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
