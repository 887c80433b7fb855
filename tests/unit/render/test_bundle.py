"""Bundling with esbuild: the same bytes everywhere, errors with file and line, one run a change."""

import json
import shutil
from pathlib import Path

import pytest

from flowflare.errors import RenderError
from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.cache import Bundle

WORKER = """\
import { WorkflowEntrypoint } from "cloudflare:workers";
import { WorkflowClient } from "@b-i-g-g-i-d-e-a/flowflare/client";
import { trackStep } from "@b-i-g-g-i-d-e-a/flowflare/workflow";
import { greet } from "./greet";
import { twice } from "dependency";

export class OrderWorkflow extends WorkflowEntrypoint {
  run = () => trackStep(this.env, "id", "step", 0, async () => twice(1));
}
export default { fetch: () => new Response(greet(new WorkflowClient({}))) };
"""


def project(folder: Path) -> Path:
    write(folder, "src/index.js", WORKER)
    write(folder, "src/greet.ts", "export const greet = (name: unknown): string => `${name}`;\n")
    package = folder / "node_modules" / "dependency"
    write(package, "package.json", '{"name": "dependency", "main": "main.js"}')
    write(package, "main.js", "exports.twice = (value) => value * 2;\n")
    return folder


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def bundle(root: Path, entry: str = "src/index.js") -> Bundle:
    [made] = bundle_sources([BundleSource(entry, root)], root=root)
    return made


def test_two_folders_give_the_same_bytes_without_a_path_of_the_machine(tmp_path: Path) -> None:
    one = bundle(project(tmp_path / "one"))
    other = bundle(project(tmp_path / "deeper" / "other"))
    assert one == other
    assert one.exports == ("OrderWorkflow", "default")
    assert str(tmp_path) not in one.content
    assert "worker_src" not in one.content
    assert "// flowflare:src/client.js" in one.content
    assert "// node_modules/dependency/main.js" in one.content
    assert 'from "cloudflare:workers"' in one.content


def test_a_bundle_is_only_made_again_when_an_input_changes(tmp_path: Path) -> None:
    root = project(tmp_path)
    bundle(root)
    assert (root / ".flowflare" / ".gitignore").read_text() == "*\n"
    [entry] = (root / ".flowflare/cache/bundles").iterdir()
    entry.write_text(json.dumps(json.loads(entry.read_text()) | {"content": "from the cache"}))
    assert bundle(root).content == "from the cache"
    write(root, "node_modules/dependency/main.js", "exports.twice = (value) => value + value;\n")
    assert "value + value" in bundle(root).content
    shutil.rmtree(root / "node_modules" / "dependency")
    with pytest.raises(RenderError, match='Could not resolve "dependency"'):
        bundle(root)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/greet.tsx", "export const greet = () => 'taken over';\n"),
        ("src/node_modules/dependency/index.js", "exports.twice = () => 'taken over';\n"),
    ],
)
def test_a_new_file_that_takes_over_an_import_is_noticed(
    tmp_path: Path, name: str, text: str
) -> None:
    root = project(tmp_path)
    assert "taken over" not in bundle(root).content
    write(root, name, text)
    assert "taken over" in bundle(root).content


def test_a_new_file_elsewhere_does_not_change_the_bundle(tmp_path: Path) -> None:
    root = project(tmp_path)
    bundle(root)
    [entry] = (root / ".flowflare/cache/bundles").iterdir()
    entry.write_text(json.dumps(json.loads(entry.read_text()) | {"content": "from the cache"}))
    for name in ("README.md", "docs/page.md", "src/.cache"):
        write(root, name, "")
    assert bundle(root).content == "from the cache"


def test_a_truncated_cache_entry_is_made_again(tmp_path: Path) -> None:
    root = project(tmp_path)
    first = bundle(root)
    [entry] = (root / ".flowflare/cache/bundles").iterdir()
    entry.write_text(entry.read_text()[:100])
    assert bundle(root) == first


def test_every_error_of_every_source_has_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "a.js", "export default {\n  fetch() { return 1 +; },\n};\n")
    write(tmp_path, "b.ts", "export const b: number = ;\n")
    with pytest.raises(RenderError) as caught:
        bundle_sources(
            [BundleSource("a.js", tmp_path), BundleSource("b.ts", tmp_path)], root=tmp_path
        )
    assert caught.value.message.splitlines() == [
        'a.js:2:23: Unexpected ";"',
        "  2 |   fetch() { return 1 +; },",
        "                            ^",
        'b.ts:1:26: Unexpected ";"',
        "  1 | export const b: number = ;",
        "                               ^",
    ]


def test_a_specifier_that_is_not_documented_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.js", 'import "@b-i-g-g-i-d-e-a/flowflare/src/index.js";\n')
    with pytest.raises(RenderError, match=r'a\.js:1:8: ".*index\.js" is not one of '):
        bundle(tmp_path, "a.js")


def test_the_projects_tsconfig_is_used_and_one_outside_is_not(tmp_path: Path) -> None:
    write(tmp_path, "tsconfig.json", '{"compilerOptions": {"jsxFactory": "outside"}}')
    root = tmp_path / "project"
    write(root, "src/page.tsx", "export default <a/>;\n")
    assert "React.createElement" in bundle(root, "src/page.tsx").content
    write(root, "tsconfig.json", '{"compilerOptions": {"jsxFactory": "inside"}}')
    assert "inside(" in bundle(root, "src/page.tsx").content


def test_without_sources_node_is_not_needed(tmp_path: Path) -> None:
    assert bundle_sources([], root=tmp_path) == []
