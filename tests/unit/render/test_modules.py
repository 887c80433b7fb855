"""What a client may import besides its own code, with wrangler's rules."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flowflare.errors import RenderError
from flowflare.model.code_module import ModuleRule
from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.cache import Bundle
from flowflare.render.compatibility import Compatibility, read_node_compat

WASM = b"\0asm"
KEY = f"{hashlib.sha1(bytes([0, 1])).hexdigest()}-key.bin"
RESIZE = f"{hashlib.sha1(WASM).hexdigest()}-resize.wasm"


def bundle_one(root: Path, *, has_source_map: bool = False) -> Bundle:
    [made] = bundle_sources([BundleSource("a.js", root, has_source_map=has_source_map)], root=root)
    return made


def bundle(
    root: Path, code: str, node_compat: Compatibility | None = None, rules: Sequence[Any] = ()
) -> str:
    (root / "a.js").write_text(code)
    read = tuple(ModuleRule.model_validate(rule) for rule in rules)
    source = BundleSource("a.js", root, node_compat=node_compat, rules=read)
    [made] = bundle_sources([source], root=root)
    return made.content


@pytest.mark.parametrize(
    ("date", "flags", "is_on"),
    [
        ("2026-08-04", [], True),
        ("2026-08-03", [], False),
        ("2026-08-03", ["nodejs_compat"], True),
        ("2024-09-22", ["nodejs_compat"], False),
        ("2024-09-22", ["nodejs_compat_v2"], True),
        ("2026-08-04", ["no_nodejs_compat", "no_nodejs_compat_v2"], False),
        ("2026-08-03", ["nodejs_als"], False),
    ],
)
def test_the_date_and_the_flags_turn_nodes_modules_on(
    date: str, flags: list[str], is_on: bool
) -> None:
    assert (read_node_compat(date, flags) is not None) is is_on


def test_a_module_of_workerd_stays_an_import_with_nodes_prefix(tmp_path: Path) -> None:
    node = read_node_compat("2026-11-01", [])
    content = bundle(tmp_path, 'export { createHash } from "crypto";', node)
    assert 'from "node:crypto"' in content
    assert "unenv" not in content


def test_a_module_that_workerd_lacks_at_the_date_is_bundled_from_unenv(tmp_path: Path) -> None:
    node = read_node_compat("2025-01-01", ["nodejs_compat"])
    content = bundle(tmp_path, 'export { Session } from "inspector";', node)
    assert "// unenv:unenv/dist/runtime/node/inspector.mjs" in content
    assert str(Path.cwd()) not in content


def test_an_npm_package_with_the_name_of_a_module_of_node_is_bundled_without_node(
    tmp_path: Path,
) -> None:
    package = tmp_path / "node_modules" / "events"
    package.mkdir(parents=True)
    (package / "index.js").write_text("export const EventEmitter = 'of npm';")
    code = 'export { EventEmitter } from "events";'
    assert "of npm" in bundle(tmp_path, code)
    assert "of npm" not in bundle(tmp_path, code, read_node_compat("2026-11-01", []))


def test_without_nodejs_compat_the_error_names_the_flag_and_the_date(tmp_path: Path) -> None:
    with pytest.raises(RenderError) as caught:
        bundle(tmp_path, 'import "crypto";\n')
    assert caught.value.message.startswith('a.js:1:8: Could not resolve "crypto"')
    assert "nodejs_compat" in str(caught.value.remedy)


def test_a_missing_npm_package_is_not_called_a_module_of_node(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match='Could not resolve "left-pad"') as caught:
        bundle(tmp_path, 'import "left-pad";\n')
    assert caught.value.remedy is None


def test_texts_are_part_of_the_bundle(tmp_path: Path) -> None:
    names = ("html", "sql", "txt")
    for name in names:
        (tmp_path / f"a.{name}").write_text(f"text of a.{name}")
    code = "".join(f'export {{ default as {n} }} from "./a.{n}";' for n in names)
    content = bundle(tmp_path, code)
    assert all(f"text of a.{name}" in content for name in names)


def test_webassembly_and_data_are_modules_named_by_their_digest(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "image"
    package.mkdir(parents=True)
    (package / "index.js").write_text('export { default } from "./resize.wasm?module";')
    (package / "resize.wasm").write_bytes(WASM)
    (tmp_path / "key.bin").write_bytes(b"\0\1")
    (tmp_path / "a.js").write_text(
        'import key from "./key.bin"; import again from "./key.bin";\n'
        'import resize from "image";\nexport default [key, again, resize];\n'
    )
    made = bundle_one(tmp_path)
    assert [(module.name, module.content_type, module.base64) for module in made.modules] == [
        (RESIZE, "application/wasm", "AGFzbQ=="),
        (KEY, "application/octet-stream", "AAE="),
    ]
    assert f'from "./{KEY}"' in made.content
    assert f'from "./{RESIZE}"' in made.content
    assert bundle_one(tmp_path) == made  # from the cache

    (tmp_path / "key.bin").write_bytes(b"\2")
    assert [module.base64 for module in bundle_one(tmp_path).modules] == ["AGFzbQ==", "Ag=="]


MARKDOWN = {"type": "Text", "globs": ["**/*.md"]}


def test_rules_of_the_client_come_before_those_of_wrangler(tmp_path: Path) -> None:
    (tmp_path / "read.md").write_text("# read")
    (tmp_path / "page.html").write_text("page")
    code = (
        'import text from "./read.md";\nimport page from "./page.html";\nexport { text, page };\n'
    )
    with pytest.raises(RenderError, match="No loader is configured") as caught:
        bundle(tmp_path, code)
    assert "rules" in str(caught.value.remedy)

    with pytest.raises(RenderError, match="does not have `fallthrough: true`"):
        bundle(tmp_path, code, rules=[MARKDOWN])
    made = bundle(tmp_path, code, rules=[MARKDOWN | {"fallthrough": True}])
    assert '"# read"' in made
    assert '"page"' in made
    made = bundle(tmp_path, code, rules=[MARKDOWN, {"type": "Data", "globs": ["*.html"]}])
    digest = hashlib.sha1(b"page").hexdigest()
    assert f'from "./{digest}-page.html.bin"' in made  # which a default rule of wrangler matches


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("const h = () => 1;\n/** @jsx h */\nexport default <p />;", 'h("p", null)'),
        ("export default process.env.NODE_ENV;", '"production"'),
        ("export default globalThis.process.env.NODE_ENV;", '"production"'),
        ("export default () => { using file = open(); };", "using file = open()"),
        ("class Own { static own = Own }\nexport default Own;", '__name(this, "Own")'),
        ('import source add from "./add.wasm"; export default add;', "import source add from"),
    ],
)
def test_code_that_wrangler_takes_is_bundled_as_there(
    tmp_path: Path, code: str, expected: str
) -> None:
    (tmp_path / "add.wasm").write_bytes(WASM)
    assert expected in bundle(tmp_path, code)


def test_a_missing_module_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(RenderError) as caught:
        bundle(tmp_path, 'import add from "./add.wasm";\nexport default add;\n')
    assert caught.value.message.startswith('a.js:1:17: Could not resolve "./add.wasm"')


def test_a_source_map_names_the_sources_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("// a comment\n\nexport default () => 1;\n")
    made = bundle_one(tmp_path, has_source_map=True)
    assert made.content.endswith("//# sourceMappingURL=worker.js.map\n")
    read = json.loads(made.source_map)
    assert read["sources"] == ["a.js"]
    assert "sourcesContent" not in read
    without = bundle_one(tmp_path)
    assert without.source_map == ""
    assert "sourceMappingURL" not in without.content
