"""The same commits give the same bytes, whatever the hash seed, the folder and the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.review.conftest import Repo, stack_file, track_tenants

#: A shop with several of everything that could appear in a different order.
PULUMI = """\
name: shop
runtime: python
main: infra/
config:
  flowflare:clients:
    value:
      orders:
        source: worker_src/orders/src/index.js
        workflows: {order-processing: {className: OrderWorkflow}}
        variables: {LIMITS: {low: 1, high: 9, names: [a, b], deep: {z: 1, a: 2}}, CURRENCY: EUR}
        secrets:
          PAYMENT_KEY: {secure: "v1:AAAA:AAAA"}
          MAIL_KEY: {generated: {bytes: 32}}
          ZEBRA_KEY: {environment: ZEBRA}
        bindings:
          MAILS: {type: queue, queue_name: mails}
          JOBS: {queue: {}}
          RECEIPTS: {type: r2_bucket, bucket_name: receipts}
          CACHE: {type: kv_namespace, namespace_id: 0f2ac74b498b48028cb68387c421e279}
        databases: {ORDERS_DB: {migrations: migrations/orders}}
        durableObjects: {CARTS: {className: Cart}, BASKETS: {className: Basket}}
        classMigrations: [{tag: v1, newSqliteClasses: [Cart, Basket]}]
      mails:
        source: src/mails.js
        secrets: {SMTP_KEY: {generated: {bytes: 16}}, IMAP_KEY: {file: key.txt}}
      stock:
        source: src/mails.js
        variables: {A: "1", B: "2", C: "3"}
"""
PROGRAM = """\
import pathlib
import pulumi
from pulumi.dynamic import Resource, ResourceProvider
from flowflare.resources import FlowflareStack

stack = FlowflareStack.from_config()


class Provider(ResourceProvider):
    words = {"one", "two", "three", "four"}

    def create(self, props):
        return str(self.words), {}


class Mark(Resource):
    def __init__(self, name, props):
        super().__init__(Provider(), name, props)


KEYS = "north south east west up down left right".split()
MANY = {key: {inner: key + inner for inner in KEYS} for key in KEYS}
here = str(pathlib.Path(__file__).parent)
for name in ("first", "second"):
    Mark(name, {"many": MANY, "secret": pulumi.Output.secret(MANY)})
    home = str(pathlib.Path.home())
    secret = pulumi.Output.secret({"here": here, "home": home, **MANY})
    made = {"accountId": "a", "queueName": name, "settings": secret, "plain": MANY}
    pulumi.CustomResource("cloudflare:index/queue:Queue", name, made)
    pulumi.export(name, MANY)
    pulumi.export(name + "-key", pulumi.Output.secret(MANY))
pulumi.export("key", stack.service.api_key)
"""
CODE = """\
import { DurableObject } from "cloudflare:workers";
import { rate } from "@acme/shared";
console.log(rate);
export class Cart extends DurableObject {}
export class Basket extends DurableObject {}
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = track_tenants(tmp_path_factory.mktemp("bytes") / "shop", program=PROGRAM)
    index = made.project / "worker_src/orders/src/index.js"
    files = {
        "Pulumi.yaml": PULUMI,
        "key.txt": "key",
        "package.json": '{"private": true, "type": "module", "workspaces": ["packages/*"]}',
        "packages/shared/package.json": '{"name": "@acme/shared", "main": "index.mjs"}',
        "packages/shared/index.mjs": "export const rate = 1;\n",
        "src/mails.js": 'export default { fetch: () => new Response("mails") };\n',
        "migrations/orders/0001_orders.sql": "CREATE TABLE orders (id TEXT PRIMARY KEY) STRICT;\n",
        "worker_src/orders/src/index.js": CODE + index.read_text("utf-8"),
    }
    salt = "encryptionsalt: v1:AAAA:v1:AAAA:AAAA\n"
    files |= {f"Pulumi.{name}.yaml": salt + stack_file(name) for name in ("ann", "bea", "cid")}
    made.commit(files, "the shop")
    made.commit({}, "nothing")
    return made


COMMAND = "from flowflare.cli.main import main; main()"
FORMS = ("json", "txt", "md", "html")


def reports(repo: Repo, base: str, folder: Path, seed: int, code: int = 0) -> dict[str, bytes]:
    """Write the report in every format, in a process with its own hash seed and temp folder."""
    place = folder / ("t" * (seed + 1))
    place.mkdir(parents=True)
    outputs = [word for form in FORMS for word in ("-o", str(place / f"report.{form}"))]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "diff", base, "HEAD", "--exit-code", *outputs],
        cwd=repo.project,
        env=os.environ | {"PYTHONHASHSEED": str(seed), "TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return {form: (place / f"report.{form}").read_bytes() for form in FORMS}


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20, 2))]
)
def test_a_commit_compared_with_itself_changes_nothing_in_20_runs(
    repo: Repo, tmp_path: Path, first: int
) -> None:
    found, other = (reports(repo, "HEAD", tmp_path, seed) for seed in (first, first + 1))
    assert found == other
    title, _, *said = found["txt"].decode().splitlines()
    assert title.startswith("shop: HEAD (")
    assert said == ["Nothing changes in 3 stacks."]
    document = json.loads(found["json"])
    assert (document["risk"], document["sections"], document["notes"]) == ("safe", [], [])


def test_a_commit_that_touches_no_file_changes_nothing(repo: Repo, tmp_path: Path) -> None:
    said = reports(repo, "HEAD~1", tmp_path, 1)["txt"].decode()
    assert said.splitlines()[-1] == "Nothing changes in 3 stacks."


@pytest.mark.long
def test_every_run_reports_a_change_in_the_same_bytes(repo: Repo, tmp_path: Path) -> None:
    first, other = (reports(repo, "HEAD~2", tmp_path, seed, 2) for seed in range(2))
    assert first == other
