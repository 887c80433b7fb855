"""Generates docs/outputs.md: what a stack hands to others, and which of it is secret."""

from pathlib import Path

from flowflare.config.files import read_project
from tests.unit.resources.recording_monitor import record

ROOT = Path(__file__).parent.parent.parent

MEANINGS = {
    "service_url": "The tracking service's URL, without a slash at its end; null where "
    "`flowflare:workersDev` is off.",
    "service_script_name": "The service's name in the account: what other Workers bind.",
    "database_id": "Id of the D1 database with the runs.",
    "api_key": "The key that callers of the service send as `X-API-Key`.",
    "client_urls": "The clients' URLs by their names in the configuration, without those that are "
    "not at workers.dev.",
}

_INTRODUCTION = """\
# Outputs

What `flowflare outputs` prints, and `pulumi stack output` on a stack of the Pulumi CLI's. Other
programs read them through a `pulumi.StackReference`: names and meanings are a public contract.
Secrets are encrypted in state and shown as `[secret]`, unless `--show-secrets` is given.

| output | secret | |
|---|---|---|
"""


def outputs_page() -> str:
    """The Markdown text of docs/outputs.md."""
    rows = (
        f"| `{name}` | {'yes' if secret else 'no'} | {MEANINGS.get(name, '')} |\n"
        for name, secret in exported().items()
    )
    return _INTRODUCTION + "".join(rows)


def exported() -> dict[str, bool]:
    """What the program exports, in the table's order, and whether it is a secret.

    The working directory must be a project's folder.
    """
    config = {key: value.text for key, value in read_project(Path.cwd(), "local").values.items()}
    outputs = record(ROOT / "infra/__main__.py", config=config, stack="local").outputs
    order = [name for name in MEANINGS if name in outputs]
    order += sorted(outputs.keys() - MEANINGS.keys())
    return {name: _is_secret(outputs[name]) for name in order}


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secret"}
