"""Create projects around recorded states that the Pulumi CLI and Cloudflare's plugin wrote."""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.recorded import recorded_plan
from flowflare.engine.pulumi_cli.stream import read_event
from flowflare.engine.pulumi_cli.translate import Translator
from flowflare.state.checkpoint import Deployment, read_checkpoint
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.events import Plan

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parent / "recordings" / "pulumi-cloudflare-6.23"
PASSPHRASE = "correct horse"
SHOP_TOKEN = "canary-shop-token-5f2a"
ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
BASE_URL = "http://127.0.0.1:8780/client/v4"
_FILES = ("Pulumi.yaml", "infra/__main__.py", "worker_src/orders")


def read_recorded(name: str) -> dict[str, Any]:
    """Read the output of `pulumi stack export` after a step, such as `1-first-up`."""
    exported: dict[str, Any] = json.loads((RECORDED / f"{name}.state.json").read_text("utf-8"))
    return exported


def open_vault(exported: Mapping[str, Any]) -> Vault:
    """Return the vault that decrypts the secrets of a recorded state."""
    salt = exported["deployment"]["secrets_providers"]["state"]["salt"]
    return Vault(Passphrase(PASSPHRASE, "a test"), salt)


def to_checkpoint(exported: Mapping[str, Any], stack: str = "rec") -> dict[str, Any]:
    """Return the content of a checkpoint file, as the CLI's own backends store it."""
    latest = copy.deepcopy(exported["deployment"])
    checkpoint = {"stack": f"organization/flowflare/{stack}", "latest": latest}
    return {"version": 3, "checkpoint": checkpoint}


def read_deployment(exported: Mapping[str, Any]) -> Deployment:
    """Return the state as the engine reads it, with its secrets encrypted."""
    return read_checkpoint(to_checkpoint(exported), open_vault(exported))


def find_record(exported: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the record of the resource whose URN ends with a name."""
    resources = exported["deployment"]["resources"]
    [record] = [resource for resource in resources if resource["urn"].endswith(f"::{name}")]
    return dict(record)


def read_applied_config(exported: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of the `up` that wrote a state; its dynamic provider records it."""
    inputs = find_record(exported, "default")["inputs"]
    own = {key: value for key, value in inputs.items() if key != "flowflare:clients"}
    return {key: json.loads(text) if text[0] in "[{" else text for key, text in own.items()}


def fill_in_code(root: Path, environ: Mapping[str, str]) -> None:
    """Replace the truncated bundles of a state with the code that the program uploads today."""
    plan = recorded_plan(read_project(root, "rec"), environ)
    code = {step.urn: str((step.new or {}).get("content", "")) for step in plan.steps}
    state = root / "backend" / ".pulumi" / "stacks" / "flowflare" / "rec.json"
    raw = json.loads(state.read_text("utf-8"))
    for resource in raw["checkpoint"]["latest"]["resources"]:
        for part in ("inputs", "outputs"):
            if "content" in resource.get(part, {}):
                resource[part]["content"] = code[resource["urn"]]
    state.write_text(json.dumps(raw), "utf-8")


def replay(name: str) -> Plan:
    """Return the plan in the recorded event log of a `pulumi preview`."""
    run = Translator(None, lambda: 0.0, planning=True)
    for line in (RECORDED / f"{name}.events.jsonl").read_text("utf-8").splitlines():
        run.take(read_event(line))
    run.finish()
    return Plan(tuple(run.report.steps), run.outputs, tuple(run.report.failures))


def make_recorded_project(
    root: Path, exported: Mapping[str, Any], *, account: str = ACCOUNT, base_url: str = BASE_URL
) -> dict[str, str]:
    """Write this repository's program and the recorded stack `rec`, with a state, to a folder.

    Returns:
        The environment, in which commands find the state and the passphrase but no Pulumi CLI.
    """
    for name in _FILES:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_to = shutil.copytree if source.is_dir() else shutil.copy
        copy_to(source, target)
    (root / "node_modules").symlink_to(ROOT / "node_modules")
    (root / ".flowflare").mkdir()

    def fill_in(text: str) -> str:
        return text.replace(ACCOUNT, account).replace(BASE_URL, base_url)

    stack = {"encryptionsalt": open_vault(exported).salt, "config": read_applied_config(exported)}
    (root / "Pulumi.rec.yaml").write_text(fill_in(json.dumps(stack)), "utf-8")
    state = root / "backend" / ".pulumi" / "stacks" / "flowflare" / "rec.json"
    state.parent.mkdir(parents=True)
    state.write_text(fill_in(json.dumps(to_checkpoint(exported))), "utf-8")
    (root / "backend" / ".pulumi" / "meta.yaml").write_text("version: 1\n", "utf-8")
    return {
        "PATH": "/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{root}/backend",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "SHOP_TOKEN": SHOP_TOKEN,
    }
