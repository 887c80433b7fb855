"""Compares scripts: whether they are there, their settings, bindings and code, and who changed it.

Values of secrets cannot be read, neither here nor by anybody: a secret that was overwritten with
another value looks as it did.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.engine.providers.cloudflare.workers_script import binding as sent_binding
from flowflare.engine.state import Resource
from flowflare.engine.values import Secret, plain
from flowflare.reading.json_text import parse_json
from flowflare.review.drift.account import Account
from flowflare.review.drift.model import Drifted
from flowflare.review.drift.scene import SECRET, Scene, as_sent, differing, drifted, shown, text

# What an upload sets, with what Cloudflare has where it says nothing.
_SETTINGS: Final[Mapping[str, Any]] = {
    "compatibility_date": None,
    "logpush": False,
    "observability": {"enabled": False},
    "placement": {},
    "limits": {},
}
_PLACEMENT: Final = ("mode", "region", "host", "hostname")
_JSON: Final = frozenset({"algorithm", "json"})


def compare_scripts(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the scripts of a stack; one that is gone says nothing of its parts."""
    live = account.scripts()
    for name, one in scene.scripts.items():
        if name not in live:
            message = f"script {name} is not in the account"
            yield drifted(one, "missing", message, severity="error", action="remake", state=name)
            continue
        found = [
            *_settings(one, account.settings(name)),
            *_bindings(scene, one, name, account.settings(name)),
            *_code(one, name, account),
        ]
        by = account.deployed_from(name) if found else ""
        yield from (each.model_copy(update={"by": by}) for each in found)


def _settings(one: Resource, live: Mapping[str, Any]) -> Iterator[Drifted]:
    for key, default in _SETTINGS.items():
        wanted = as_sent(one.inputs.get(_camel(key)))
        there = live.get(key)
        if key == "placement":
            there = {part: value for part, value in (there or {}).items() if part in _PLACEMENT}
        if not wanted and default is not None:
            # What an upload leaves out, Cloudflare resets.
            switched_on = there and there != default and (there or {}) != {"enabled": False}
            found = [(key, wanted, there)] if switched_on else []
        else:
            found = list(differing(wanted, there, key)) if wanted else []
            # Switched off, it has nothing else to say.
            found = [one for one in found if one[0].endswith(".enabled")] or found
        for path, before, after in found:
            message = f"{path} is {shown(after)}, state says {shown(before)}"
            yield drifted(one, "changed", message, path=path, state=before, account=after)
    flags = sorted(as_sent(one.inputs.get("compatibilityFlags")) or [])
    there = sorted(live.get("compatibility_flags") or [])
    if flags != there:
        message = f"compatibility flags are {shown(there)}, state says {shown(flags)}"
        path = "compatibility_flags"
        yield drifted(one, "changed", message, path=path, state=flags, account=there)
    tails = sorted(each.get("service") for each in as_sent(one.inputs.get("tailConsumers")) or [])
    there = sorted(str(each.get("service")) for each in live.get("tail_consumers") or [])
    if tails != there:
        message = f"Tail Workers are {shown(there)}, state says {shown(tails)}"
        yield drifted(one, "changed", message, path="tail_consumers", state=tails, account=there)


def _bindings(
    scene: Scene, one: Resource, script: str, live: Mapping[str, Any]
) -> Iterator[Drifted]:
    wanted = _wanted(scene, one, script)
    if wanted is None:
        scene.unseen.append(f"{one.name}: its bindings are one secret in state; not compared")
        return
    there = {str(each.get("name")): each for each in live.get("bindings") or ()}
    for name, given in wanted.items():
        path = f'bindings["{name}"]'
        found = there.get(name)
        if found is None:
            what = _what(given)
            message = f"{what} {name} is not bound any more"
            yield drifted(one, "missing", message, path=path, state=_told(given), severity="error")
        else:
            yield from _one_binding(one, script, path, given, found)
    for name in sorted(there.keys() - wanted.keys()):
        found = there[name]
        message = f"{_what(found)} {name} is bound, and state does not know it"
        path = f'bindings["{name}"]'
        yield drifted(one, "extra", message, path=path, account=_told(found), action="adopt")


def _wanted(scene: Scene, one: Resource, script: str) -> dict[str, dict[str, Any]] | None:
    """The bindings of a script by name, those that it inherits from what uploads them first."""
    given = one.inputs.get("bindings")
    if isinstance(given, Secret):
        return None
    found = {}
    for each in given or ():
        if not isinstance(each, dict):
            return None
        masked = {
            key: SECRET if isinstance(item, Secret) else item
            for key, item in each.items()
            if not key.startswith("__")  # the real engine's own bookkeeping
        }
        found[str(each["name"])] = dict(sent_binding(masked))
    for earlier in (*scene.of_kind("ScriptBindings"), *scene.of_kind("DurableObjectMigrations")):
        listed = earlier.inputs.get("bindings")
        if text(earlier, "script_name") != script or not isinstance(listed, list):
            continue
        for each in listed:
            name = str(plain(each.get("name"))) if isinstance(each, dict) else ""
            if found.get(name, {}).get("type") == "inherit":
                found[name] = as_sent(each)
    return found


def _one_binding(
    one: Resource,
    script: str,
    path: str,
    wanted: Mapping[str, Any],
    live: Mapping[str, Any],
) -> Iterator[Drifted]:
    if wanted.get("type") == "inherit":
        return
    before, after = comparable(wanted, script), comparable(live, script)
    for inner, here, there in differing(before, after):
        message = f"{path}.{inner} is {shown(there)}, state says {shown(here)}"
        at = f"{path}.{inner}"
        yield drifted(one, "changed", message, path=at, state=here, account=there, severity="error")
        if inner == "type":
            return


def comparable(binding: Mapping[str, Any], script: str) -> dict[str, Any]:
    """A binding with one name for what Cloudflare spells in two ways."""
    found = dict(binding)
    if found.get("type") == "d1":
        found["id"] = found.pop("database_id", None) or found.get("id")
    if found.get("type") in ("secret_text", "secret_key"):
        for key in ("text", "key_base64", "key_jwk"):
            found.pop(key, None)
    if found.get("type") == "durable_object_namespace":
        found.setdefault("script_name", script)
        found["script_name"] = found["script_name"] or script
        found.pop("namespace_id", None)
    for key in _JSON & found.keys():
        if isinstance(found[key], str):
            try:
                found[key] = parse_json(found[key])
            except ValueError:
                continue
    return {key: value for key, value in found.items() if value is not None}


def _code(one: Resource, script: str, account: Account) -> Iterator[Drifted]:
    etag = plain(one.outputs.get("etag")) if not isinstance(one.outputs.get("etag"), Secret) else ""
    live = account.scripts()[script].get("etag")
    if etag and etag == live:
        return
    content = one.inputs.get("content")
    if not isinstance(content, str):
        return
    there = main_module(account.content(script), text(one, "mainModule"))
    if there is not None and _digest(there) == _digest(content):
        return
    message = "the code is not what state uploaded"
    yield drifted(
        one,
        "changed",
        message,
        path="content",
        state=f"sha256 {_digest(content)}",
        account=None if there is None else f"sha256 {_digest(there)}",
    )


def main_module(body: str, name: str) -> str | None:
    """One module of a multipart body; None where there is none of that name.

    The API's client hands out the text alone, so the boundary is read from its first line.
    """
    boundary = body.split("\n", 1)[0].strip()
    if not boundary.startswith("--"):
        return body
    for part in body.split(boundary)[1:]:
        head, found, rest = part.partition("\r\n\r\n")
        if found and f'name="{name}"' in head:
            return rest.removesuffix("\r\n")
    return None


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _what(binding: Mapping[str, Any]) -> str:
    kind = str(binding.get("type"))
    return "secret" if kind.startswith("secret_") else f"{kind} binding"


def _told(binding: Mapping[str, Any]) -> dict[str, Any]:
    hidden = ("text", "key_base64", "key_jwk") if "secret" in str(binding.get("type")) else ()
    return {key: value for key, value in binding.items() if key not in hidden}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
