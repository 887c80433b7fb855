"""Generate reference/emulator-coverage.md: which of Cloudflare's operations the emulator serves.

Cloudflare's operations are those of its official Python SDK, under the names of its API reference.
The emulator's operations are its own route table.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudflare
from starlette.routing import Route

from flowflare.emulator import class_codes, codes, dns_codes, routing_codes, subscription_codes
from flowflare.emulator.envelope import Code, Refusal
from flowflare.emulator.requests import API
from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.server import assemble
from flowflare.emulator.services import targets
from flowflare.emulator.services.targets.kinds import KINDS
from tests.docs.query_parameters import unread_parameters

_PARAMETER = re.compile(r"\{[^}]*\}")
_SDK_OPERATION = re.compile(
    r'<code title="(?P<method>\w+) (?P<path>[^"]+)">'
    r'client\.(?P<resource>[\w.]+)\.<a href="[^"]+">(?P<verb>[\w\\]+)</a>'
)
#: The products whose operations are listed whole, with what is missing, by their names in the SDK.
PRODUCTS = {
    "D1": ("d1",),
    "Worker scripts, versions, settings, secrets": ("workers.scripts",),
    "The account's workers.dev subdomain": ("workers.subdomains",),
    "Workflows": ("workflows",),
    "Durable Objects": ("durable_objects",),
    "Routes and custom domains": ("workers.routes", "workers.domains"),
}
_HEAD = "| served | operation | name |\n|---|---|---|\n"
_BESIDES = """\
## Other operations

wrangler and the SDKs call these operations too, and bindings refer to what they create. Operations
without a name are not documented by Cloudflare. Containers and tail consumers are always empty.

| operation | name |
|---|---|
"""

_INTRODUCTION = f"""\
# What the embedded Cloudflare covers

The emulator serves the API below `{API}`. Unmodified clients need only its URL. The operations'
names are those of Cloudflare's API reference, as the official SDK spells them. An operation
that ignores a query parameter of the SDK is listed with that parameter, and not counted. [What real
clients do](emulator-conformance.md) lists their commands one by one. Every other operation returns
501 in Cloudflare's error envelope, with code {codes.NOT_EMULATED} and its name.
"""

_WORLD = """\
## What exists from the start

- **Accounts**: every ID of 32 hexadecimal digits is an account, with a workers.dev subdomain.
- **The token** of the data folder: `flowflare emulator env` prints it. No other token is accepted.
  Control paths below `/emulator/` require it too, with `application/json`. `POST /emulator/tokens`
  creates another token with its own limit, which is valid until the emulator stops.
  [What is protected, and what is not](../how-to/emulator-access.md).
- **Zones**: every zone ID is a zone. It gets its name from the first hostname used with it
  (`example.com` for `shop.example.com/*`, three labels below `co.uk` and similar) and its account
  from the first script. Both are fixed from then on. `POST /zones` creates a zone with a name of
  your choice, and `PUT /emulator/zones/<id>` with `{"name": ..., "account": ...}` one with an ID
  of your choice.
- **The limit on calls** is Cloudflare's: 1,200 in five minutes for each token, reported in
  `Ratelimit` and `Ratelimit-Policy`. Further calls get 429 with code 971 and `Retry-After` for
  five minutes. `PUT /emulator/rate-limit` with `{"calls": 50, "seconds": 10, "block": 10}` sets
  another limit. `"calls": null` removes the limit, and `"token": ...` sets one token's. `DELETE`
  resets it.
- **Routes and custom domains** answer on the emulator's own port, by `Host`: `curl -H 'Host:
  shop.example.com' http://127.0.0.1:8780/`, or in a browser
  `http://shop.example.com.localhost:8780/`. The Worker's own port accepts the same `Host`,
  WebSockets included.
- **Bindings** to KV, R2, queues, Analytics Engine, rate limits, D1, services, Durable Objects and
  Workflows work. Queues deliver to Workers, with retries, delays and dead-letter queues, and to
  pull consumers. Bindings to <unseen kinds>
  are checked, but the Worker does not see them. A binding of an unknown type is stored unchanged,
  and the Worker does not see it.
- **Many Workers**: those that refer to each other (services, Durable Objects, Workflows) run in
  one workerd, which is loaded on first use. Sixteen of these units stay loaded. Others are stopped
  after ten idle seconds (no open WebSocket or request, no unfinished Workflow, no alarm due within
  a minute), and keep their data. A later alarm loads them in time. `PUT /emulator/units` with
  `{"loaded": 4, "idle_seconds": 2}` keeps fewer units loaded, `{}` resets the limits. KV, R2
  and rate limits are in a separate workerd, and D1 in up to four others, so that a long query stops
  only its own database. It is ended after 30 seconds. The contents of `caches` are lost when their
  workerd stops.
- **Workflows** run on Miniflare's engine. A step's result has at most 1 MiB, and its name 256
  characters. Instances and their steps are read from disk, so those that ended stay listed after a
  reload and a restart. Ended ones are deleted hourly when their retention is over: that of the
  instance, `default_retention` of the Workflow's newest version, or seven days. A retention that a
  binding's `create` sets is not known, because Miniflare drops it. `PUT /emulator/clock` applies
  retention at once. `concurrency`, `limits`, `schedules` and the graph of a version are refused.
  `instance.subscribe()` of a binding works, without `workflow_waiting`, which Miniflare's engine
  never logs. The API's `subscribe` gets 501, because its form is not public.
- **Event subscriptions** publish the states of Workflow instances (`workflows.workflow`) to a
  queue. The states are read from each instance's own log, and each is published once, even if the
  emulator is killed in between. If a binding deletes or restarts an instance within milliseconds of
  a change, that change may not be published, because both remove the log. `instance.errored` is
  published when an instance ends, not for each attempt of a step, and `instance.started` is not
  published after a sleep (our reading). A subscription stays when its Workflow or queue is deleted.
  Other sources are refused with 501.
- **Deployments** of several versions are stored and shown; all requests go to the largest share.
- **Time Travel** restores every requested bookmark exactly. A time restores the content after the
  last earlier write through the API. A Worker's write is part of the history from the
  next bookmark, or the next write through the API. The history covers thirty days.
"""

_REFUSALS = """\
## Errors

Codes, statuses and texts are Cloudflare's, taken from issues, client sources and recorded answers.
If a status was never observed, it is 400. `<name>` and similar words are placeholders. The last
column names the public trace of a rule. If it is empty, or if the description names a part as our
interpretation, the answer has the header `X-Emulator-Reading`, which says so.

| code | HTTP | text | when | trace |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Operation:
    """An operation of Cloudflare's API; its path's parameters have no names."""

    method: str
    path: str

    @classmethod
    def of(cls, method: str, path: str) -> "Operation":
        return cls(method.upper(), _PARAMETER.sub("{}", path))


@dataclass(frozen=True)
class Entry:
    """What Cloudflare's reference says of an operation: its path, and its name in the SDK."""

    path: str
    name: str

    def belongs_to(self, resources: Iterable[str]) -> bool:
        """Whether it is an operation of one of these resources or what is below them."""
        return any(self.name.startswith(f"{resource}.") for resource in resources)


def coverage_page(data: Path) -> str:
    """The Markdown text of docs/reference/emulator-coverage.md.

    Args:
        data: a folder for the emulator that is asked for its routes.
    """
    known, routes = sdk_operations(), emulator_operations(data)
    unread = unread_by_operation(data)
    sections = [_INTRODUCTION]
    listed: set[Operation] = set()
    for title, resources in PRODUCTS.items():
        ours = {each: entry for each, entry in known.items() if entry.belongs_to(resources)}
        listed |= ours.keys()
        sections.append(_product(title, ours, routes, unread))
    others = {
        operation: known.get(operation, Entry(path, ""))
        for operation, path in routes.items()
        if operation not in listed
    }
    sections.append(_BESIDES + _rows(others))
    unseen = " and ".join(kind.words for kind in KINDS if kind.run is None)
    sections.append(_WORLD.replace("<unseen kinds>", unseen))
    sections.append(_REFUSALS + "".join(_refusal_rows()))
    return "\n".join(sections)


def sdk_operations() -> dict[Operation, Entry]:
    """Read every operation from the SDK's own lists, with its name in the API reference."""
    resources = Path(cloudflare.__file__).parent / "resources"
    found: dict[Operation, Entry] = {}
    for page in sorted(resources.glob("*/api.md")):
        for match in _SDK_OPERATION.finditer(page.read_text(encoding="utf-8")):
            verb = match["verb"].replace("\\", "").rstrip("_")
            entry = Entry(match["path"], f"{match['resource']}.{verb}")
            # If two methods call one operation, the API reference names it like the first.
            found.setdefault(Operation.of(match["method"], match["path"]), entry)
    return found


def emulator_routes(data: Path) -> list[Route]:
    """Return the emulator's routes below the API's path."""
    nothing = Path("unused")
    parts = assemble(Programs(nothing, nothing, lock=0), data, {}, "t" * 40)
    parts.database.close()
    return [
        route for route in parts.routes if isinstance(route, Route) and route.path.startswith(API)
    ]


def emulator_operations(data: Path) -> dict[Operation, str]:
    """Return the emulator's operations with the paths of its routes."""
    return {
        Operation.of(method, path): path
        for route in emulator_routes(data)
        for path in [route.path.removeprefix(API)]
        for method in route.methods or ()
    }


def unread_by_operation(data: Path) -> dict[Operation, frozenset[str]]:
    """Return what each route ignores of what clients send; operations that ignore nothing lack."""
    unread = {
        Operation.of(method, path): unread_parameters(
            method, Operation.of(method, path).path, route
        )
        for route in emulator_routes(data)
        for path in [route.path.removeprefix(API)]
        for method in route.methods or ()
    }
    return {operation: names for operation, names in unread.items() if names}


def refusals() -> Iterator[tuple[Refusal, str, str]]:
    """List every error response, with placeholders in angle brackets, and when it is returned."""
    kinds = [sys.modules[f"{targets.__name__}.{kind.name}"] for kind in KINDS]
    for module in (codes, class_codes, routing_codes, dns_codes, subscription_codes, *kinds):
        for value in vars(module).values():
            if isinstance(value, Code):
                error = value(*(f"<{word}>" for word in value.words))
                yield error, _capitalize(value.when), value.trace
            elif inspect.isfunction(value) and inspect.getmodule(value) is codes:
                words = " ".join((inspect.getdoc(value) or "").split())
                condition, _, trace = words.removeprefix("Return the error for ").partition(
                    " Trace: "
                )
                yield value(*_placeholders(value)), _capitalize(condition), trace.rstrip(".")


def _capitalize(condition: str) -> str:
    return condition[:1].upper() + condition[1:]


def _placeholders(function: object) -> list[object]:
    """Make the names of a function's parameters its arguments."""
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    return [
        f"<{each.name}>" if each.annotation is str else (f"<{each.name.removesuffix('s')}>",)
        for each in parameters
    ]


def _product(
    title: str,
    known: dict[Operation, Entry],
    routes: dict[Operation, str],
    unread: dict[Operation, frozenset[str]],
) -> str:
    count = len(known.keys() & routes.keys() - unread.keys())
    return f"## {title} ({count} of {len(known)})\n\n{_HEAD}{_rows(known, routes, unread)}"


def _rows(
    entries: dict[Operation, Entry],
    routes: dict[Operation, str] | None = None,
    unread: dict[Operation, frozenset[str]] | None = None,
) -> str:
    """One row for each operation, with a mark for those served where some may not be."""
    rows = []
    for one, entry in sorted(entries.items(), key=lambda item: (item[0].path, item[0].method)):
        ignored = ", ".join(f"`{name}`" for name in sorted((unread or {}).get(one, ())))
        served = f"| without {ignored} " if ignored else "| yes "
        mark = "" if routes is None else served if one in routes else "| "
        name = f"`{entry.name}`" if entry.name else ""
        rows.append(f"{mark}| `{one.method} {entry.path}` | {name} |\n")
    return "".join(rows)


def _refusal_rows() -> Iterator[str]:
    rows = [
        (problem.code, refusal.status, problem.message, when, trace)
        for refusal, when, trace in refusals()
        for problem in refusal.problems
    ]
    for code, status, text, when, trace in sorted(rows):
        cell = text.replace("<", "&lt;").replace("|", "\\|")
        yield f"| {code} | {status} | {cell} | {when} | {trace} |\n"
