"""Record the event streams in this folder: `python -m tests.engine.streams.record`, with the CLI.

Each scenario is a program on a stack of the CLI. Paths, times and provider IDs, which differ from
machine to machine, are replaced; debug lines are dropped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.engine.projects import Sample, make_sample

HERE = Path(__file__).parent
THINGS = HERE.parent / "things.py"
FIRST = """
    import pulumi
    from things import Thing
    class Service(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("test:index:Service", name)
            self.inner = Thing("inner", "1", opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({})
    service = Service("service")
    z = Thing("z", service.inner.token)
    w = Thing("w", z.id)
    pulumi.export("token", z.token)
    pulumi.export("number", 5)
"""
SECOND = """
    import pulumi
    from things import Thing
    z = Thing("z", "2", kind="b")
    w = Thing("w", z.id)
    v = Thing("v", "1", opts=pulumi.ResourceOptions(protect=True))
    pulumi.log.warn("mind the step")
    print("hello")
    pulumi.export("token", z.token)
"""
FAILS = SECOND.replace('"z", "2"', '"z", "boom"')
REFUSED = SECOND.replace('"z", "2"', '"z", "refused"')
HELD = """
    import pulumi
    from things import Thing
    z = Thing("z", "2", kind="b")
    v = Thing("v", "1", kind="other", opts=pulumi.ResourceOptions(protect=True))
"""
DROPPED = """
    from things import Thing
    z = Thing("z", "2", kind="b")
"""
MISTAKE = """
    import pulumi
    raise pulumi.RunError("2 problems in the configuration:\\n  Pulumi.dev.yaml:3: x")
"""
CRASH = """
    def broken():
        return 1 / 0
    broken()
"""
# Name of the recording, program, command.
SCENARIOS = (
    ("first-preview", FIRST, "preview"),
    ("first-up", FIRST, "up"),
    ("no-op", FIRST, "up"),
    ("change-preview", SECOND, "preview"),
    ("change-up", SECOND, "up"),
    ("failure", FAILS, "up"),
    ("refused", REFUSED, "up"),
    ("mistake", MISTAKE, "up"),
    ("crash", CRASH, "up"),
    ("held-preview", HELD, "preview"),
    ("dropped-preview", DROPPED, "preview"),
    ("dropped-up", DROPPED, "up"),
    ("destroy-held", DROPPED, "destroy"),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "world").mkdir()
        sample = make_sample(root / "project", config={"p:world": str(root / "world")})
        sample.write_module("things", THINGS.read_text("utf-8"))
        (root / "state").mkdir()
        pulumi(sample, root, "stack", "init", "organization/p/dev")
        for name, program, command in SCENARIOS:
            sample.write_program(program)
            log = root / f"{name}.jsonl"
            flags = [] if command == "preview" else ["--yes", "--skip-preview"]
            pulumi(sample, root, command, *flags, "--event-log", str(log), "--stack", "dev")
            lines = map(json.loads, log.read_text("utf-8").splitlines())
            kept = [tidy(line, root) for line in lines if not is_debug(line)]
            text = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in kept)
            (HERE / f"{name}.jsonl").write_text(text, "utf-8")


def pulumi(sample: Sample, root: Path, *words: str) -> None:
    environ = {
        **os.environ,
        **sample.environ,
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_BACKEND_URL": f"file://{root}/state",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PYTHONPATH": str(sample.root / "infra"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_COMMANDS": "true",
    }
    command = ["pulumi", *words, "--non-interactive", "--color", "never"]
    subprocess.run(command, cwd=sample.root, env=environ, check=False, capture_output=True)


def is_debug(line: dict) -> bool:
    return line.get("diagnosticEvent", {}).get("severity") == "debug"


def tidy(line: dict, root: Path) -> dict:
    text = json.dumps({**line, "timestamp": 0})
    text = text.replace(str(root), "/home/somebody")
    text = re.sub(r'/[^" ]*?/(site-packages|lib/python3\.\d+)/', r"/usr/lib/\1/", text)
    text = re.sub(
        r'/[^" ]*?/pulumi-language-python-exec', "/usr/bin/pulumi-language-python-exec", text
    )
    text = re.sub(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid, text
    )
    return json.loads(text)


def uuid(match: re.Match) -> str:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    return unknown if match[0] == unknown else "00000000-0000-4000-8000-000000000000"


if __name__ == "__main__":
    main()
