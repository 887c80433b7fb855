"""Choose the API key to adopt, because Cloudflare does not return the key in the account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flowflare.api import Client
from flowflare.api.headers import check_secret
from flowflare.errors import SecretError
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Key
from flowflare.kinds.bindings.registry import find_binding_type
from flowflare.kinds.live_script import read_references
from flowflare.model.stack import StackSpec
from flowflare.reading.files import read_text

KEY_BINDING: Final = "SERVICE_API_KEY"
VARIABLE: Final = "FLOWFLARE_API_KEY"
_KEY: Final = re.compile(r"[\x21-\x7e]{8,512}")
_RESOURCE: Final = "-api-key"
_ROUTE: Final = "/service/list-workflows"
_REMEDY: Final = (
    f"To keep it for callers outside, pass it: --api-key-file FILE, or {VARIABLE}. Or let the next "
    "up make a new key, which every caller outside then needs: --new-api-key"
)


def read_key(file: Path | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Read the key that the user passed, and its origin; both are empty without a key.

    Raises:
        SecretError: the file cannot be read, or does not contain a valid key.
    """
    text, origin = environ.get(VARIABLE, ""), VARIABLE
    if file is not None:
        origin = str(file)
        try:
            text = read_text(file).strip()
        except OSError as error:
            raise SecretError(f"{file}: the API key cannot be read: {error.strerror}") from None
    if not text and file is None:
        return "", ""
    if not _KEY.fullmatch(text):
        remedy = "The file must contain only the key: 8 to 512 characters without spaces."
        raise SecretError(f"{origin}: does not contain a valid API key", remedy=remedy)
    return text, origin


@dataclass(frozen=True)
class KeyChoice:
    """The user's choice about the API key.

    Attributes:
        spec: the stack, with the chosen names.
        given: a key and its origin; both are empty without a key.
        new: whether the next `up` may make a new key.
    """

    spec: StackSpec
    given: tuple[str, str] = field(default=("", ""), repr=False)
    new: bool = False

    @property
    def resource(self) -> str:
        """The suffix of the name of the key in use (`resources/service.py`)."""
        generation = self.spec.service.api_key_in_use
        return _RESOURCE if generation == 1 else f"{_RESOURCE}-{generation}"

    def choose(self, account: Account, client: Client) -> tuple[Key, Findings]:
        """Choose the key to adopt, with what the user must know about it."""
        findings, service = Findings(), self.spec.service.script_name
        text, origin = self.given
        bound = _find_binding(account, service)
        if bound is None:
            return Key("", self.resource), findings
        if find_binding_type(str(bound.get("type"))).word == "variable" and bound.get("text"):
            # A setup by hand may have stored it as a plain variable, which everyone who lists them
            # can read.
            findings.note(
                f"{service} has its API key as a variable in plain text. It is adopted, and the "
                "next up makes it a secret. Everyone who could read the account's Workers may "
                "know it: consider flowflare secrets rotate."
            )
            origin = f"the variable {KEY_BINDING}"
            text = check_secret(str(bound["text"]), origin)
        if not text and not self.new:
            findings.refuse(f"{service} has an API key, which Cloudflare does not return", _REMEDY)
        elif not text:
            findings.note(_describe_new_key(self.spec, client, service))
        else:
            _check_key(account, client, self.spec, (text, origin), findings)
        return Key(text, self.resource, origin), findings


def _find_binding(account: Account, service: str) -> Mapping[str, Any] | None:
    """Find the live binding of the key; None if it does not exist."""
    if service not in account.scripts():
        return None
    bindings = account.settings(service).get("bindings") or ()
    return next((binding for binding in bindings if binding.get("name") == KEY_BINDING), None)


def _describe_new_key(spec: StackSpec, client: Client, service: str) -> str:
    own = {service, *(spec_client.script_name for spec_client in spec.clients)}
    users = {reference.script for reference in read_references(client, spec.account_id, service)}
    outside = ", ".join(sorted(users - own)) or "every caller of its URL"
    return (
        f"The next up gives {service} and this stack's clients a new API key. The old key then "
        f"stops working: give {outside} the new key, which `flowflare outputs --show-secrets` "
        "prints. For a few seconds of that up, the service does not accept the new key yet."
    )


def _check_key(
    account: Account, client: Client, spec: StackSpec, given: tuple[str, str], findings: Findings
) -> None:
    """Check with the live service whether it accepts the key, if the service has a URL."""
    import httpx

    service, (text, origin) = spec.service.script_name, given
    url = _find_url(account, client, spec)
    status = 0
    if url:
        try:
            answer = httpx.post(
                url + _ROUTE, json={"limit": 1}, headers={"X-API-Key": text}, timeout=10
            )
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
    if status in (401, 403):
        findings.refuse(f"{service} refuses the API key from {origin} ({status})", _REMEDY)
    elif status != 200:
        said = f"it responds with {status}" if status else "it could not be reached"
        findings.note(f"It is unknown whether {service} accepts the API key from {origin}: {said}.")


def _find_url(account: Account, client: Client, spec: StackSpec) -> str:
    found = account.subdomain(spec.service.script_name)
    if not found.get("enabled"):
        return ""
    if found.get("url"):
        return str(found["url"])
    answer = client.call("GET", f"/accounts/{spec.account_id}/workers/subdomain")
    return f"https://{spec.service.script_name}.{answer['subdomain']}.workers.dev"
