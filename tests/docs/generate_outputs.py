"""Generate docs/reference/outputs.md: a stack's outputs, and which of them are secret."""

from pathlib import Path

from flowflare.config.files import read_project
from tests.unit.resources.recording_monitor import record

ROOT = Path(__file__).parent.parent.parent

MEANINGS = {
    "service_url": "The tracking service's URL, without a slash at its end; null if "
    "`flowflare:workersDev` is false.",
    "service_script_name": "The name of the service's script in the account, for bindings of other "
    "Workers.",
    "database_id": "The ID of the D1 database with the runs.",
    "api_key": "The key that callers of the service send as `X-API-Key`.",
    "client_urls": "The clients' workers.dev URLs by their names in the configuration, without "
    "clients that have none.",
}

_INTRODUCTION = """\
# Outputs

`flowflare outputs` prints these outputs, and so does `pulumi stack output` for a stack of the
Pulumi CLI. Other programs read them through a `pulumi.StackReference`. Names and meanings are a
public contract. Secrets are encrypted in state, and printed as `[secret]` without `--show-secrets`.

| output | secret | |
|---|---|---|
"""

#: Another program with one client, which tests/e2e runs.
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

Another program can have clients of the same service. It has `flowflare:accountId` and its clients
below `flowflare:clients` in its own configuration, and reads the service from the first stack's
outputs. Both projects must use the same backend.

```python
{SECOND_PROGRAM}```

The client is bound to the service, its class and its key like the first stack's own clients. The
service only starts Workflows of its own stack's clients.

## A client that wrangler deploys

`flowflare outputs --json --show-secrets` prints the values for its `wrangler.jsonc`: a service
binding `WORKFLOW_SERVICE` to `service_script_name`, a Durable Object binding `WORKFLOW_TRACKER` to
the class `WorkflowTracker` with that name as `script_name`, and the secret `WORKFLOW_API_KEY`,
which is `api_key`. Set the secret again after the key is rotated.
"""


def outputs_page() -> str:
    """Return the Markdown text of docs/reference/outputs.md."""
    rows = (
        f"| `{name}` | {'yes' if secret else 'no'} | {MEANINGS.get(name, '')} |\n"
        for name, secret in read_outputs().items()
    )
    return _INTRODUCTION + "".join(rows) + _CLIENTS


def read_outputs() -> dict[str, bool]:
    """Return the program's outputs in the table's order, and whether each is a secret.

    The working directory must be a project's folder.
    """
    config = {key: value.text for key, value in read_project(Path.cwd(), "local").values.items()}
    outputs = record(ROOT / "infra/__main__.py", config=config, stack="local").outputs
    order = [name for name in MEANINGS if name in outputs]
    order += sorted(outputs.keys() - MEANINGS.keys())
    return {name: _is_secret(outputs[name]) for name in order}


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secret"}
