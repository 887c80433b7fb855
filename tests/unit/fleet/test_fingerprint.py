"""What changes a stack's fingerprint, what does not, and what makes it unknown."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flowflare.config.files import read_project_file
from flowflare.fleet.fingerprint.fingerprints import KEY_VARIABLE, Fingerprint, make_fingerprints
from flowflare.fleet.fingerprint.tool import digest_of

ROOT = Path(__file__).parent.parent.parent.parent
PULUMI = """\
name: shop
runtime: python
main: infra/
config:
  flowflare:clients:
    value:
      orders:
        source: src/orders.js
        workflows: {order-processing: {className: OrderWorkflow}}
        databases: {SHOP: {migrations: sql}}
"""
STACK = """\
encryptionsalt: v1:AnwsOFAODHA=:v1:QE5hRlR7ZbNE6aMM:wb1Wp2YZ5zw54f1/ZbQszR/UJjrEKA==
config:
  flowflare:debug: false
  flowflare:note: {secure: "v1:one"}
  flowflare:policies: {python: [policies.py]}
"""
PROGRAM = """\
import pulumi
import prices
from flowflare.resources import FlowflareStack

stack = FlowflareStack.from_config()
"""
ORDERS = """\
import { price } from "./price.js";
export class OrderWorkflow { run() { return price; } }
export default { fetch() { return new Response(String(price)); } };
"""
KEY = {KEY_VARIABLE: "a key that is hard to guess"}


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share bundles between tests, because Node makes them slowly."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture
def root(tmp_path: Path, bundles: Path) -> Path:
    return make(tmp_path / "shop", bundles)


def make(root: Path, bundles: Path) -> Path:
    files = {
        "Pulumi.yaml": PULUMI,
        "Pulumi.acme-prod.yaml": STACK,
        "Pulumi.beta-prod.yaml": STACK,
        "infra/__main__.py": PROGRAM,
        "infra/prices.py": "import json\nPRICE = 1\n",
        "infra/unused.py": "UNUSED = 1\n",
        "src/orders.js": ORDERS,
        "src/price.js": "export const price = 1;\n",
        "sql/0001_orders.sql": "create table orders (id text);\n",
        "templates/note.js.j2": "// a note\n",
        "policies.py": "# none\n",
        "README.md": "a shop\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".flowflare/cache").mkdir(parents=True)
    (root / ".flowflare/cache/bundles").symlink_to(bundles)
    (root / "node_modules").symlink_to(ROOT / "node_modules")
    return root


def of(root: Path, **environ: str) -> Fingerprint:
    return make_fingerprints(read_project_file(root), ["acme-prod"], environ)["acme-prod"]


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return apply


CHANGES = [
    ("config", edit("Pulumi.acme-prod.yaml", "debug: false", "debug: true")),
    ("config", edit("Pulumi.acme-prod.yaml", "v1:one", "v1:two")),
    ("config", edit("Pulumi.acme-prod.yaml", "v1:AnwsOFAODHA", "v1:BnwsOFAODHA")),
    ("config", edit("Pulumi.yaml", "order-processing", "order-handling")),
    ("config", edit("Pulumi.yaml", "name: shop", "name: store")),
    ("code", edit("src/orders.js", "String(price)", "`${price}`")),
    ("code", edit("src/price.js", "price = 1", "price = 2")),
    ("code", edit("templates/note.js.j2", "a note", "another")),
    ("migrations", edit("sql/0001_orders.sql", "id text", "id integer")),
    ("migrations", lambda root: (root / "sql/0002_more.sql").write_text("select 1;")),
    ("program", edit("infra/__main__.py", "import pulumi\n", "import pulumi, math\n")),
    ("program", edit("infra/prices.py", "PRICE = 1", "PRICE = 2")),
    ("program", edit("policies.py", "none", "some")),
]


@pytest.mark.parametrize(("part", "change"), CHANGES)
def test_a_change_of_an_input_changes_its_part(
    root: Path, part: str, change: Callable[[Path], None]
) -> None:
    before = of(root)
    change(root)
    after = of(root)
    assert not before.unknown
    assert not after.matches(before)
    assert part in after.changed_parts(before)


def test_a_change_in_the_folder_of_a_migration_changes_the_fingerprint(root: Path) -> None:
    nested = root / "sql/0001_orders"
    nested.mkdir()
    (root / "sql/0001_orders.sql").rename(nested / "migration.sql")
    before = of(root)
    edit("sql/0001_orders/migration.sql", "id text", "id integer")(root)
    assert of(root).changed_parts(before) == ("migrations",)


SAME: list[Callable[[Path], object]] = [
    edit("Pulumi.yaml", "runtime: python", "runtime: python # a comment\ndescription: other"),
    edit("Pulumi.acme-prod.yaml", "config:", "# a comment\nconfig:"),
    edit("Pulumi.acme-prod.yaml", "debug: false", "debug: 'false'"),
    edit("Pulumi.beta-prod.yaml", "debug: false", "debug: true"),
    edit("infra/unused.py", "1", "2"),
    edit("README.md", "shop", "store"),
    lambda root: (root / "sql/notes.txt").write_text("no migration"),
    lambda root: (root / "src/unused.js").write_text("export const unused = 1;"),
    lambda root: (root / "infra/__pycache__").mkdir(),
]


@pytest.mark.parametrize("change", SAME)
def test_no_other_change_changes_the_fingerprint(
    root: Path, change: Callable[[Path], object]
) -> None:
    before = of(root)
    change(root)
    assert of(root).matches(before)


def test_the_fingerprint_is_the_same_in_another_folder(
    root: Path, tmp_path: Path, bundles: Path
) -> None:
    elsewhere = make(tmp_path / "another folder" / "deeper", bundles)
    assert of(elsewhere).digest == of(root).digest


def test_a_bundle_that_is_not_cached_has_the_same_fingerprint(root: Path, tmp_path: Path) -> None:
    before = of(root)
    (root / ".flowflare/cache/bundles").unlink()
    assert of(root).digest == before.digest


def test_of_the_environment_only_the_address_of_the_api_matters(root: Path) -> None:
    assert of(root, HOME="/elsewhere", CLOUDFLARE_API_TOKEN="t").matches(of(root))
    assert of(root, CLOUDFLARE_BASE_URL="http://127.0.0.1:1").changed_parts(of(root)) == ("config",)


def test_a_salt_without_secrets_does_not_matter(root: Path) -> None:
    edit("Pulumi.acme-prod.yaml", '  flowflare:note: {secure: "v1:one"}\n', "")(root)
    before = of(root)
    edit("Pulumi.acme-prod.yaml", "v1:AnwsOFAODHA", "v1:BnwsOFAODHA")(root)
    assert of(root).matches(before)


# Secrets from elsewhere ---------------------------------------------------------------------------


def with_secret(root: Path, source: str) -> None:
    new = f"        source: src/orders.js\n        secrets: {{TOKEN: {source}}}\n"
    edit("Pulumi.yaml", "        source: src/orders.js\n", new)(root)


def test_a_secret_variable_counts_as_a_keyed_hash(root: Path) -> None:
    with_secret(root, "{environment: SHOP_TOKEN}")
    found = of(root, SHOP_TOKEN="hunter2", **KEY)
    assert not found.unknown
    assert found.matches(of(root, SHOP_TOKEN="hunter2", **KEY))
    assert found.changed_parts(of(root, SHOP_TOKEN="hunter3", **KEY)) == ("config", "secrets")
    # Without the key, a list of passwords cannot be tried against the stored hash.
    other = of(root, SHOP_TOKEN="hunter2", **{KEY_VARIABLE: "another key of another fleet"})
    assert not found.matches(other)


def test_a_secret_inside_of_a_binding_counts_like_any_other(root: Path) -> None:
    key = "{type: secret_key, algorithm: HMAC, format: raw, key_base64: {environment: SHOP_TOKEN}}"
    new = f"        source: src/orders.js\n        bindings: {{KEY: {key}}}\n"
    edit("Pulumi.yaml", "        source: src/orders.js\n", new)(root)

    before = of(root, SHOP_TOKEN="hunter2", **KEY)

    assert before.changed_parts(of(root, SHOP_TOKEN="hunter3", **KEY)) == ("config", "secrets")


def test_a_secret_file_counts_by_its_content(root: Path) -> None:
    with_secret(root, "{file: token.txt}")
    (root / "token.txt").write_text("one")
    before = of(root, **KEY)
    (root / "token.txt").write_text("two")
    assert before.changed_parts(of(root, **KEY)) == ("config", "secrets")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{environment: SHOP_TOKEN}", "FLOWFLARE_FINGERPRINT_KEY is not set"),
        ("{environment: NOT_THERE}", "variable NOT_THERE, which does not exist"),
        ("{file: nowhere.txt}", "file nowhere.txt, which does not exist"),
        ("{awsSecretsManager: shop/token}", "the newest version of a secret in AWS"),
        ("{awsParameter: /shop/token}", "the newest version of a secret in AWS"),
    ],
)
def test_an_unknown_secret_counts_as_changed(root: Path, source: str, why: str) -> None:
    with_secret(root, source)
    found = of(root, SHOP_TOKEN="hunter2")
    assert why in " ".join(found.unknown)
    assert not found.matches(found)


@pytest.mark.parametrize(
    "source",
    [
        "{awsSecretsManager: shop/token, version: abc}",
        "{awsParameter: /shop/token, version: 3}",
        "{generated: {bytes: 32}}",
        '{secure: "v1:abc"}',
    ],
)
def test_a_secret_that_the_configuration_determines_is_known(root: Path, source: str) -> None:
    with_secret(root, source)
    assert of(root).matches(of(root))


# Programs of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import requests", "imports requests"),
        ("import time", "imports time"),
        ("from pathlib import Path", "imports pathlib"),
        ("text = open('x.json').read()", "uses open"),
        ("import os; os.listdir('.')", "uses os.listdir"),
        ("import os; os.path.exists('x')", "uses os.path.exists"),
        ("import os; os.environ[name]", "uses os.environ without a literal name"),
        ("import os; print(dict(os.environ))", "uses os.environ without a literal name"),
        ("from os import environ", "imports names from os"),
        ("other = pulumi.StackReference('o/p/s')", "uses pulumi.StackReference"),
        ("from pulumi import FileAsset", "imports FileAsset from pulumi"),
        ("import pulumi_cloudflare as cf; cf.get_zone(x)", "with get_zone"),
        ("import pulumi_cloudflare as cf; cf.D1Database.get('a', 'b')", "with get"),
        ("from flowflare.render.worker import render_clients", "imports flowflare.render.worker"),
        ("exec('1')", "uses exec"),
        ("this is not valid Python", "cannot be read as Python"),
    ],
)
def test_what_a_program_may_read_elsewhere_is_reported_with_its_place(
    root: Path, line: str, why: str
) -> None:
    (root / "infra/prices.py").write_text(f"import pulumi\n{line}\n")
    [unknown] = of(root).unknown
    assert why in unknown
    assert unknown.startswith("infra/prices.py")


def test_a_comment_names_the_files_that_a_program_reads(root: Path) -> None:
    text = "# flowflare: reads data/*.json\nfrom pathlib import Path\n"
    (root / "infra/prices.py").write_text(text)
    (root / "data").mkdir()
    (root / "data/a.json").write_text("1")
    before = of(root)
    assert not before.unknown
    (root / "data/b.json").write_text("2")
    assert of(root).changed_parts(before) == ("program",)


@pytest.mark.parametrize("read", ["os.environ['STAGE']", "os.environ.get('STAGE')"])
def test_a_variable_that_a_program_reads_by_name_counts(root: Path, read: str) -> None:
    (root / "infra/prices.py").write_text(f"import os\nSTAGE = {read}\n")
    before = of(root, STAGE="blue", **KEY)
    assert not before.unknown
    assert of(root, STAGE="green", **KEY).changed_parts(before) == ("program",)
    assert "variable STAGE" in of(root, STAGE="blue").unknown[0]


def test_modules_are_found_through_packages(root: Path) -> None:
    (root / "infra/prices.py").write_text("from shop.rules import tax\nimport shop.more.deep\n")
    for name in ("shop/__init__", "shop/rules/__init__", "shop/rules/tax", "shop/more/deep"):
        (root / f"infra/{name}.py").parent.mkdir(parents=True, exist_ok=True)
        (root / f"infra/{name}.py").write_text("")
    (root / "infra/shop/rules/tax.py").write_text("from . import rates\n")
    (root / "infra/shop/rules/rates.py").write_text("RATE = 1\n")
    for name in ("shop/__init__", "shop/rules/tax", "shop/more/deep", "shop/rules/rates"):
        before = of(root)
        assert not before.unknown
        (root / f"infra/{name}.py").write_text("CHANGED = 1\nfrom . import rates\n")
        assert of(root).changed_parts(before) == ("program",), name


# Broken projects ----------------------------------------------------------------------------------


def test_a_stack_that_cannot_be_read_does_not_affect_the_others(root: Path) -> None:
    (root / "Pulumi.beta-prod.yaml").write_text("config: [")
    found = make_fingerprints(read_project_file(root), ["acme-prod", "beta-prod", "gone-prod"], {})
    assert not found["acme-prod"].unknown
    assert "Pulumi.beta-prod.yaml" in found["beta-prod"].unknown[0]
    assert "Pulumi.gone-prod.yaml" in found["gone-prod"].unknown[0]


def test_a_source_that_does_not_bundle_is_unknown(root: Path) -> None:
    (root / "src/orders.js").write_text("import './nowhere.js';")
    assert "src/orders.js cannot be bundled" in of(root).unknown[0]


def test_the_tools_digest_covers_versions_and_the_files_that_programs_use(tmp_path: Path) -> None:
    for name in ("resources/stack.py", "review/text.py", "render/bundle.mjs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    before = digest_of(tmp_path, {"pulumi": "3"})
    assert digest_of(tmp_path, {"pulumi": "4"}) != before
    (tmp_path / "review/text.py").write_text("two")
    assert digest_of(tmp_path, {"pulumi": "3"}) == before
    for name in ("resources/stack.py", "render/bundle.mjs"):
        copy = tmp_path.with_name(f"{tmp_path.name}-{Path(name).name}")
        shutil.copytree(tmp_path, copy)
        (copy / name).write_text("two")
        assert digest_of(copy, {"pulumi": "3"}) != before


def test_a_stored_fingerprint_contains_no_secret(root: Path) -> None:
    with_secret(root, "{environment: SHOP_TOKEN}")
    stored = json.dumps(of(root, SHOP_TOKEN="hunter2", **KEY).model_dump())
    assert "hunter2" not in stored
    assert KEY[KEY_VARIABLE] not in stored
