"""Refuse to overwrite Workers that the stack did not create, but whose names it uses."""

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING

from flowflare.config.files import Project
from flowflare.config.load import load_stack
from flowflare.engine.access import read_base_url
from flowflare.engine.contract import Stack
from flowflare.errors import ClassMigrationError, ConfigError
from flowflare.kinds import durable_object_migrations, workers_script
from flowflare.kinds.account import Account
from flowflare.state.checkpoint import Deployment
from flowflare.values.properties import plain

if TYPE_CHECKING:
    from flowflare.api import Connector


def refuse_foreign_scripts(
    project: Project, stack: Stack, environ: Mapping[str, str], api: "Connector | None" = None
) -> None:
    """Refuse an `up` that would overwrite a Worker which is not in the stack's state.

    Reads the account only if state lacks a Worker that the configuration names.

    Args:
        api: opens the API's client, by default with this process's shared connections.

    Raises:
        ClassMigrationError: the account has such Workers; the message names all of them.
    """
    texts = {key: value.text for key, value in project.values.items()}
    try:
        spec = load_stack(texts, project=project.name, stack=project.stack)
    except ConfigError:
        return  # the program reports it, or does not use this configuration
    wanted = {spec.service.script_name, *(client.script_name for client in spec.clients)}
    missing = wanted - (_list_known(stack.read()) if stack.is_made() else set())
    if not missing:
        return
    from flowflare.api import PROCESS

    client = (api or PROCESS).open(read_base_url(project, environ), stack.token())
    foreign = sorted(missing & Account(client, spec.account_id).scripts().keys())
    if foreign:
        raise ClassMigrationError(
            f"{', '.join(foreign)}: a script of that name exists, and this stack did not create "
            "it; nothing was changed",
            remedy="To manage it with this stack, import it: flowflare adopt --stack "
            f"{quote(project.stack)}. Otherwise write another name into `flowflare:names`.",
        )


def _list_known(deployment: Deployment) -> set[str]:
    """List the scripts that a state has, or that an interrupted run may have created."""
    records = [*deployment.resources, *(pending.resource for pending in deployment.pending)]
    keys = {
        workers_script.KIND.type: "scriptName",
        durable_object_migrations.KIND.type: "script_name",
    }
    return {
        str(plain(record.inputs.get(keys[record.type])))
        for record in records
        if record.type in keys
    }
