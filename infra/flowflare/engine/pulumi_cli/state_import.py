"""Add records to a stack of the Pulumi CLI, which imports them (`pulumi stack import`)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flowflare.engine.configuration import open_vault
from flowflare.engine.embedded.plan_over import join_state
from flowflare.engine.embedded.state_edit import StateEdit, describe_conflict
from flowflare.engine.pulumi_cli.state import find_cli_store
from flowflare.state.checkpoint import Deployment, dump_resource, dump_secret
from flowflare.values.properties import Secret
from flowflare.values.wire import SECRET, SIGNATURE

if TYPE_CHECKING:
    from flowflare.engine.pulumi_cli.stack import CliStack


def edit_by_import(stack: "CliStack", environ: Mapping[str, str]) -> StateEdit:
    """Edit a stack's state by the CLI's export and import."""
    project, before = stack.project, stack.export()
    deployment = stack.read()

    def write(changed: Deployment, prepare: Callable[[], None]) -> None:
        now = stack.export()
        if _resources(now) != _resources(before):
            raise describe_conflict(project)
        prepare()
        stack.import_(add_records(now, changed))

    store = find_cli_store(project.shared, environ)
    key = f".pulumi/stacks/{project.name}/{project.stack}.json"
    return StateEdit(
        project,
        environ,
        deployment,
        read_state=lambda: join_state(project, deployment, open_vault(project, environ)),
        neighbours=(store, key) if store else None,
        write=write,
    )


def add_records(exported: Mapping[str, Any], deployment: Deployment) -> dict[str, Any]:
    """Add the records that an exported deployment lacks, with open secrets.

    The CLI seals them when it imports the file. The exported records are unchanged and sealed.

    Args:
        exported: what `pulumi stack export` prints.
        deployment: the whole new state.
    """
    kept = _resources(exported)
    known = {str(record.get("urn")) for record in kept}
    new = [
        _plaintext(dump_resource(record, _Open()))
        for record in deployment.resources
        if record.urn not in known
    ]
    before = dict(exported.get("deployment") or {})
    return {**exported, "version": 3, "deployment": {**before, "resources": [*kept, *new]}}


class _Open:
    """Leaves secrets open: the CLI seals what it imports."""

    def seal(self, secret: Secret) -> str:
        """Return the JSON text of the value, which the CLI encrypts."""
        return dump_secret(secret)

    def open(self, ciphertext: str) -> Any:
        """Return the text: nothing is sealed."""
        return ciphertext


def _plaintext(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return {SIGNATURE: SECRET, "plaintext": value["ciphertext"]}
        return {key: _plaintext(item) for key, item in value.items()}
    return [_plaintext(item) for item in value] if isinstance(value, list) else value


def _resources(exported: Mapping[str, Any]) -> list[Any]:
    return list((exported.get("deployment") or {}).get("resources") or ())
