"""Decides which API key is taken over: the one in the account is not read back by anybody."""

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
from flowflare.kinds.live_script import read_references
from flowflare.model.stack import StackSpec
from flowflare.reading.files import read_text

KEY_BINDING: Final = "SERVICE_API_KEY"
VARIABLE: Final = "FLOWFLARE_API_KEY"
_KEY: Final = re.compile(r"[\x21-\x7e]{8,512}")
_RESOURCE: Final = "-api-key"
_ROUTE: Final = "/service/list-workflows"
_TAKE: Final = (
    f"Give it, so that callers outside go on with it: --api-key-file FILE, or {VARIABLE}. Or let "
    "the next up make another one, which every caller outside then needs: --new-api-key"
)


def read_key(file: Path | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """The key that somebody gave, and where from; both empty for none.

    Raises:
        SecretError: the file cannot be read, or what is in it is no key.
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
        remedy = "Write the key alone: 8 to 512 characters without spaces."
        raise SecretError(f"{origin}: holds no API key", remedy=remedy)
    return text, origin


@dataclass(frozen=True)
class KeyChoice:
    """What somebody decided about the API key.

    Attributes:
        spec: the stack, its names as they are chosen.
        given: a key and where it is from, both empty for none.
        new: whether the next `up` may make another one.
    """

    spec: StackSpec
    given: tuple[str, str] = field(default=("", ""), repr=False)
    new: bool = False

    @property
    def resource(self) -> str:
        """How the name of the resource ends that is the key in use (`resources/service.py`)."""
        generation = self.spec.service.api_key_in_use
        return _RESOURCE if generation == 1 else f"{_RESOURCE}-{generation}"

    def taken(self, account: Account, client: Client) -> tuple[Key, Findings]:
        """The key to take over, with what has to be told of it.

        Args:
            account: the account.
            client: the API.
        """
        findings, service = Findings(), self.spec.service.script_name
        text, origin = self.given
        bound = _bound(account, service)
        if bound is None:
            return Key("", self.resource), findings
        if bound.get("type") == "plain_text" and bound.get("text"):
            # By hand it was put among the variables, where everybody who can list them reads it.
            findings.note(
                f"{service} has its API key as a variable in plain text; it is taken over, and the "
                "next up makes it a secret. Whoever could read the account's Workers has seen it: "
                "think of flowflare secrets rotate."
            )
            origin = f"the variable {KEY_BINDING}"
            text = check_secret(str(bound["text"]), origin)
        if not text and not self.new:
            findings.refuse(f"{service} has an API key, which nobody can read back", _TAKE)
        elif not text:
            findings.note(_new_key(self.spec, client, service))
        else:
            _ask(account, client, self.spec, (text, origin), findings)
        return Key(text, self.resource, origin), findings


def _bound(account: Account, service: str) -> Mapping[str, Any] | None:
    """The live binding of the key, None where there is none."""
    if service not in account.scripts():
        return None
    bindings = account.settings(service).get("bindings") or ()
    return next((one for one in bindings if one.get("name") == KEY_BINDING), None)


def _new_key(spec: StackSpec, client: Client, service: str) -> str:
    own = {service, *(one.script_name for one in spec.clients)}
    users = {one.script for one in read_references(client, spec.account_id, service)}
    outside = ", ".join(sorted(users - own)) or "whoever calls its URL"
    return (
        f"The next up gives {service} a new API key, and this stack's clients with it. From then "
        f"on the old one opens nothing: tell {outside} the new one, which `flowflare outputs "
        "--show-secrets` prints. Between clients and service, up takes seconds in which the new "
        "key is not accepted yet."
    )


def _ask(
    account: Account, client: Client, spec: StackSpec, given: tuple[str, str], findings: Findings
) -> None:
    """Asks the live service whether the key opens it, where it has a URL."""
    import httpx

    service, (text, origin) = spec.service.script_name, given
    url = _url(account, client, spec)
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
        findings.refuse(f"{service} refuses the API key from {origin} ({status})", _TAKE)
    elif status != 200:
        said = f"it answers {status}" if status else "it could not be asked"
        findings.note(f"Whether {service} accepts the API key from {origin} is not known: {said}.")


def _url(account: Account, client: Client, spec: StackSpec) -> str:
    found = account.subdomain(spec.service.script_name)
    if not found.get("enabled"):
        return ""
    if found.get("url"):
        return str(found["url"])
    answer = client.call("GET", f"/accounts/{spec.account_id}/workers/subdomain")
    return f"https://{spec.service.script_name}.{answer['subdomain']}.workers.dev"
