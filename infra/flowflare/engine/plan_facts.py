"""Digest what a plan depends on: configuration, given secrets, state, the program's declarations.

A digest is an HMAC under a key, so secrets cannot be guessed by trial without the key.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic import Field

from flowflare.config.files import Project
from flowflare.engine.given_secrets import list_given_sources
from flowflare.errors import SecretError
from flowflare.kinds import workers_script
from flowflare.model.frozen import Frozen
from flowflare.secrets.sources import Place, fetch
from flowflare.state.checkpoint import Deployment, Resource, dump_resource, dump_secret
from flowflare.values.properties import Secret, Value, reveal

if TYPE_CHECKING:
    from flowflare.kinds.access import Access

#: Takes what a plan was made of: the state, and the records of what the program declares.
Observe = Callable[[Deployment, Sequence[Resource]], None]
#: Raises an error if the state that a run starts from is not the expected one.
CheckState = Callable[[Deployment], None]

_LENGTH: Final = 32
#: The name under which the options of a declared resource are digested, beside its properties.
OPTIONS: Final = "options"


class Facts(Frozen):
    """What a plan depends on, as digests."""

    configuration: dict[str, str] = Field(description="Each key's value as the files have it.")
    secrets: dict[str, str] = Field(
        description="Each variable and file that the configuration names as a secret's source."
    )
    state: dict[str, str] = Field(description="Each record of the state, by URN; no components.")
    program: dict[str, dict[str, str]] = Field(
        description="Each property and the options of what the program declares, by URN; no "
        "components."
    )
    account: dict[str, str] | None = Field(
        default=None,
        description="Each deployed script's upload, by name; null if the account was not read.",
    )


class Digests:
    """Digests values with one key.

    Args:
        key: the key, random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, value: Value) -> str:
        """Return the digest of a value, with its secrets opened; 32 hexadecimal digits."""
        text = dump_secret(Secret(value)).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:_LENGTH]

    def seal(self, secret: Secret) -> str:
        """Return the digest of a secret inside a record."""
        return self.digest(secret.value)

    def open(self, ciphertext: str) -> Value:
        """Refuse: a digest cannot be opened."""
        raise SecretError(f"{ciphertext} is a digest")


def read_facts(
    project: Project,
    environ: Mapping[str, str],
    deployment: Deployment,
    declared: Iterable[Resource],
    digests: Digests,
    account: Mapping[str, str] | None = None,
) -> Facts:
    """Digest what a plan depends on.

    Args:
        environ: the environment, for variables that are secrets.
        deployment: the state that the plan is based on.
        declared: the records of what the program declares.
        digests: computes the digests.
        account: what `read_uploads` returned; None if the account was not read.

    Raises:
        SecretError: a secret of the state cannot be opened.
    """
    return Facts(
        account=None
        if account is None
        else {name: digests.digest(text) for name, text in account.items()},
        configuration={
            key: digests.digest([value.text, value.secret])
            for key, value in sorted(project.values.items())
        },
        secrets=_digest_given(project, environ, digests),
        state=digest_state(deployment, digests),
        program={
            record.urn: _digest_declared(record, digests) for record in declared if record.custom
        },
    )


def digest_state(deployment: Deployment, digests: Digests) -> dict[str, str]:
    """Digest each record of a state, without the times at which it was written.

    Raises:
        SecretError: a secret of the state cannot be opened.
    """
    found = {}
    for record in deployment.resources:
        if not record.custom:
            continue
        name = f"{record.urn} (to be deleted)" if record.delete else record.urn
        dumped = dump_resource(replace(record, created="", modified=""), digests)
        found[name] = digests.digest(dumped)
    for operation in deployment.pending:
        found[f"{operation.resource.urn} ({operation.doing})"] = ""
    return found


def read_uploads(access: "Access", deployment: Deployment) -> dict[str, str]:
    """Read when each script of a state was last uploaded, with one call for each account.

    Raises:
        FlowflareError: the account cannot be read.
    """
    scripts = {
        (str(reveal(record.inputs.get("accountId"))), str(reveal(record.inputs.get("scriptName"))))
        for record in deployment.resources
        if record.type == workers_script.KIND.type and not record.delete
    }
    found = {}
    for account in sorted({account for account, _ in scripts}):
        for row in access.client.call("GET", f"/accounts/{account}/workers/scripts") or ():
            if (account, row.get("id")) in scripts:
                found[str(row["id"])] = f"{row.get('etag')} {row.get('modified_on')}"
    return {name: found.get(name, "") for _, name in sorted(scripts)}


def _digest_given(project: Project, environ: Mapping[str, str], digests: Digests) -> dict[str, str]:
    found = {}
    for source in list_given_sources(project):
        try:
            found[str(source)] = digests.digest(fetch(source, Place(project.root, environ)).text)
        except SecretError:
            found[str(source)] = ""
    return found


def _digest_declared(record: Resource, digests: Digests) -> dict[str, str]:
    bare = replace(record, inputs={}, outputs={}, id="", provider="", created="", modified="")
    properties = {name: digests.digest(value) for name, value in sorted(record.inputs.items())}
    return {**properties, OPTIONS: digests.digest(dump_resource(bare, digests))}
