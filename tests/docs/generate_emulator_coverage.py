"""Generates reference/emulator-coverage.md: which of Cloudflare's operations the emulator serves.

Cloudflare's side is the list of operations that its official Python SDK brings along, under the
names of its API reference; the emulator's side is its own route table.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudflare
from starlette.routing import Route

from flowflare.emulator import codes, target_codes
from flowflare.emulator.envelope import Refusal
from flowflare.emulator.requests import API
from flowflare.emulator.runtime.bridge import Programs
from flowflare.emulator.server import assemble

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
## What clients ask for besides

wrangler and the SDKs ask for these on their way, and bindings point to what they make; those
without a name are in no reference. Containers and tails are always empty.

| operation | name |
|---|---|
"""

_INTRODUCTION = f"""\
# What the embedded Cloudflare covers

It answers below `{API}`, and unmodified clients reach it by URL alone. Names are those of
Cloudflare's API reference, as the official SDK spells them. What is not served answers Cloudflare's
error envelope with code 7003 and names the operation.
"""

_WORLD = """\
## What is there from the start

- **Accounts**: every id of 32 hexadecimal digits is an account, with a workers.dev subdomain.
- **The token** of the data folder, and no other: `flowflare emulator env` prints it. Control paths
  below `/emulator/` need it too, with `application/json`; `POST /emulator/tokens` makes another one
  with a limit of its own, until the emulator stops.
  [What is protected, and what is not](../how-to/emulator-access.md).
- **Zones**: every zone id is a zone. One that nobody made gets its name from the first hostname
  used with it (`example.com` of `shop.example.com/*`, three labels below `co.uk` and its like) and
  its account from the first script; then it is held to both. `POST /zones` makes one under a name
  of your own, `PUT /emulator/zones/<id>` with `{"name": ..., "account": ...}` under an id of your
  own.
- **The limit on calls** is Cloudflare's: 1,200 in five minutes for each token, told in `Ratelimit`
  and `Ratelimit-Policy`; after more, 429 with code 971 and `Retry-After` for five minutes.
  `PUT /emulator/rate-limit` with `{"calls": 50, "seconds": 10, "block": 10}` sets another, null
  calls none, `"token": ...` one token's; `DELETE` puts it back.
- **Routes and custom domains** answer on the emulator's own port, by `Host`:
  `curl -H 'Host: shop.example.com' http://127.0.0.1:8780/`, or in a browser
  `http://shop.example.com.localhost:8780/`. The Worker's own port takes the same `Host`, WebSockets
  included.
- **Bindings** to KV, R2, queues, Analytics Engine, rate limits, D1, services, Durable Objects and
  Workflows work, queues without consumers. Hyperdrive and Vectorize are checked and give nothing to
  the Worker; a type that is not known here is kept as it is and gives nothing either.
- **Many Workers**: those that refer to each other (services, Durable Objects, Workflows) run in one
  workerd, loaded when one of them is first asked for. Sixteen stay; of the others, those that did
  nothing for ten seconds end, and keep their data: no open WebSocket or request, no unfinished
  Workflow, no alarm that rings within a minute. A later alarm loads them in time.
  `PUT /emulator/units` with `{"loaded": 4, "idle_seconds": 2}` keeps fewer, `{}` as many as before.
  D1, KV, R2 and rate limits are in a workerd of their own. What `caches` holds ends with its
  workerd.
- **Deployments** of several versions are kept and shown; all requests go to the largest share.
- **Time Travel** goes back to every bookmark that was asked for, exactly. A time leads to what was
  there after the last write through the API before it; writes of Workers count from the next
  bookmark or write through the API on. Thirty days are kept.
"""

_REFUSALS = """\
## What it refuses

Codes, statuses and texts are Cloudflare's, as issues, client sources and recorded answers have
them; where a status was never seen, 400 stands. `<name>` and the like stand for what differs.

| code | HTTP | text | when |
|---|---|---|---|
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
    known, routes = sdk_operations(), served(data)
    sections = [_INTRODUCTION]
    listed: set[Operation] = set()
    for title, resources in PRODUCTS.items():
        ours = {one: entry for one, entry in known.items() if entry.belongs_to(resources)}
        listed |= ours.keys()
        sections.append(_product(title, ours, routes))
    rest = {one: known.get(one, Entry(path, "")) for one, path in routes.items()}
    sections.append(_BESIDES + _rows({one: rest[one] for one in rest if one not in listed}))
    sections.append(_WORLD)
    sections.append(_REFUSALS + "".join(_refusal_rows()))
    return "\n".join(sections)


def sdk_operations() -> dict[Operation, Entry]:
    """Every operation of the SDK's own lists, and what the reference says of it."""
    resources = Path(cloudflare.__file__).parent / "resources"
    found: dict[Operation, Entry] = {}
    for page in sorted(resources.glob("*/api.md")):
        for match in _SDK_OPERATION.finditer(page.read_text(encoding="utf-8")):
            verb = match["verb"].replace("\\", "").rstrip("_")
            entry = Entry(match["path"], f"{match['resource']}.{verb}")
            # Where two methods call one operation, the first is the reference's.
            found.setdefault(Operation.of(match["method"], match["path"]), entry)
    return found


def served(data: Path) -> dict[Operation, str]:
    """The emulator's operations with their paths as its routes spell them."""
    nothing = Path("unused")
    parts = assemble(Programs(nothing, nothing, lock=0), data, {}, "t" * 40)
    parts.database.close()
    return {
        Operation.of(method, path): path
        for route in parts.routes
        if isinstance(route, Route) and route.path.startswith(API)
        for path in [route.path.removeprefix(API)]
        for method in route.methods or ()
    }


def refusals() -> Iterator[tuple[Refusal, str]]:
    """Every refusal with a word in angle brackets for what differs, and when it is answered."""
    for module in (codes, target_codes):
        for name, function in vars(module).items():
            if inspect.isfunction(function) and inspect.getmodule(function) is module:
                assert not name.startswith("_"), name
                yield function(*_placeholders(function)), inspect.getdoc(function) or ""


def _placeholders(function: object) -> list[object]:
    """Arguments that name themselves."""
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    return [
        f"<{one.name}>" if one.annotation is str else (f"<{one.name.removesuffix('s')}>",)
        for one in parameters
    ]


def _product(title: str, known: dict[Operation, Entry], routes: dict[Operation, str]) -> str:
    count = len(known.keys() & routes.keys())
    return f"## {title} ({count} of {len(known)})\n\n{_HEAD}{_rows(known, routes)}"


def _rows(entries: dict[Operation, Entry], routes: dict[Operation, str] | None = None) -> str:
    """One row for each operation, with a mark for those served where some may not be."""
    rows = []
    for one, entry in sorted(entries.items(), key=lambda item: (item[0].path, item[0].method)):
        mark = "" if routes is None else "| yes " if one in routes else "| "
        name = f"`{entry.name}`" if entry.name else ""
        rows.append(f"{mark}| `{one.method} {entry.path}` | {name} |\n")
    return "".join(rows)


def _refusal_rows() -> Iterator[str]:
    rows = [
        (problem.code, refusal.status, problem.message, when)
        for refusal, when in refusals()
        for problem in refusal.problems
    ]
    for code, status, text, when in sorted(rows):
        cell = text.replace("<", "&lt;").replace("|", "\\|")
        yield f"| {code} | {status} | {cell} | {when} |\n"
