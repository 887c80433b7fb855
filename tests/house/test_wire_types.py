"""tsc knows the messages of the emulator's Node child."""

import json
import re
import subprocess
from pathlib import Path

from tests.emulator.emulated import NODE, ROOT
from tests.house.generate_wire_types import TYPES, wire_types

PROGRAM = """\
/** @import { Requests } from './wire.d.ts' */
/** @param {Requests['probe']} upload */
export const right = (upload) => upload.modules.length;
/** @param {Requests['probe']} upload */
export const misspelt = (upload) => upload.moduls.length;
/** @type {Requests['limit']} */
export const missing = { units: 1 };
/** @type {Requests['limit']} */
export const unknown = { units: 1, idle: 1, busy: 1 };
"""


def test_tsc_refuses_a_field_that_the_schema_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "program.mjs").write_text(PROGRAM)
    (tmp_path / "wire.d.ts").write_text(wire_types())
    config = {
        "extends": str(ROOT / "tsconfig.emulator.json"),
        "compilerOptions": {"typeRoots": [str(ROOT / "node_modules/@types")]},
        "include": ["."],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    tsc = ROOT / "node_modules/typescript/bin/tsc"
    done = subprocess.run(
        [NODE, tsc, "-p", tmp_path], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert re.findall(r"^program\.mjs\((\d+)", done.stdout, re.MULTILINE) == ["5", "7", "9"], (
        done.stdout
    )


def test_no_file_gives_a_type_up() -> None:
    escape = re.compile(r"@\w+ \{[^}]*\bany\b|@ts-(ignore|expect-error|nocheck)")
    sources = {path.name: path.read_text("utf-8") for path in TYPES.parent.glob("*.mjs")}
    assert sources
    assert [name for name, text in sources.items() if escape.search(text)] == []
