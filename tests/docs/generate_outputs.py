"""Generates docs/reference/outputs.md: what a stack hands to others, and which of it is secret."""

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

#: A program of its own with one client; tests/e2e runs it.
SECOND_PROGRAM = """\
import pulumi
from flowflare.resources import FlowflareClient, ServiceReference

first = pulumi.StackReference("organization/flowflare/local")
service = ServiceReference(
    script_name=first.require_output("service_script_name"),
    api_key=first.require_output("api_key"),
)
client = FlowflareClient.from_config("reports", service=service)
pulumi.export("url", client.url)
"""

_CLIENTS = f"""
## A client in another program

A program of its own, with `flowflare:accountId` and its client below `flowflare:clients` in its own
configuration, takes the service from the first stack's outputs. Both projects name one backend.

```python
{SECOND_PROGRAM}```

The client is bound to the service, its class and its key like the first stack's own. The service
itself starts Workflows of its own stack's clients only.

## A client that wrangler deploys

`flowflare outputs --json --show-secrets` has what its `wrangler.jsonc` needs: a service binding
`WORKFLOW_SERVICE` to `service_script_name`, a Durable Object binding `WORKFLOW_TRACKER` to the
class `WorkflowTracker` with that name as `script_name`, and the secret `WORKFLOW_API_KEY`, which
is `api_key`. After the key was rotated the secret is set again.
"""


def outputs_page() -> str:
    """The Markdown text of docs/reference/outputs.md."""
    rows = (
        f"| `{name}` | {'yes' if secret else 'no'} | {MEANINGS.get(name, '')} |\n"
        for name, secret in exported().items()
    )
    return _INTRODUCTION + "".join(rows) + _CLIENTS


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
