"""Find scripts, and compare their settings, bindings and code with the program."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted, drop_unknown
from flowflare.kinds.scene import SECRET, as_sent, find_differences
from flowflare.kinds.spelling import camel, from_api, pick_attributes
from flowflare.kinds.workers_script.apply import COMPUTED
from flowflare.kinds.workers_script.apply import binding as sent_binding
from flowflare.kinds.workers_script.drift import to_comparable
from flowflare.kinds.workers_script.live_settings import (
    COMPARED,
    find_setting_differences,
    list_names,
)
from flowflare.kinds.workers_script.settings import LISTS, read_setting
from flowflare.values.properties import Props, Secret, Value, has_unknown

_JSON_TEXTS: Final = frozenset({"algorithm", "json"})
_KEY_LIKE: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL", re.IGNORECASE)
_TEXTS: Final = ("text", "key_base64", "key_jwk")
_VALUES: Final = (*_TEXTS, "json")


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the live script; where it differs from the program, state gets the live values."""
    name = wanted.text("scriptName")
    row = account.scripts().get(name)
    if row is None:
        return None
    settings = account.settings(name)
    inputs: Props = dict(wanted.inputs)
    _refuse_databases(inputs, settings, name, account, findings)
    parts = split_modules(account.content(name))
    found = [
        *_compare_settings(inputs, settings),
        *_compare_lists(inputs, settings),
        *_compare_bindings(inputs, settings, name, findings),
        *_compare_code(inputs, parts),
    ]
    declared = {str(inputs.get("mainModule")), "", *(wanted.inputs.get("files") or {})}
    others = sorted(parts.keys() - declared)
    message = f"its next upload drops the modules {', '.join(others)}" if others else ""
    # The plugin's state is made of the same two responses.
    computed = {**row, **account.read_last_upload(name), "logpush": settings.get("logpush")}
    outputs = {"placement": {}, **pick_attributes(computed, COMPUTED), **drop_unknown(inputs)}
    return Thing(name, drop_unknown(inputs), outputs, name, found, message)


def _compare_settings(inputs: Props, live: Mapping[str, Any]) -> Iterator[Difference]:
    for key in COMPARED:
        differs = find_setting_differences(key, as_sent(inputs.get(camel(key))), live)
        there = read_setting(key, live)
        if differs and there in (None, {}):
            inputs.pop(camel(key), None)
        elif differs:
            inputs[camel(key)] = from_api(there)
        for path, before, after in differs:
            yield Difference(path=path, declared=before, account=after)


def _compare_lists(inputs: Props, live: Mapping[str, Any]) -> Iterator[Difference]:
    for key in LISTS:
        there, declared = (
            list_names(given) for given in (live.get(key), as_sent(inputs.get(camel(key))))
        )
        if sorted(there) != sorted(declared):
            are_mappings = any(isinstance(item, dict) for item in live.get(key) or ())
            inputs[camel(key)] = [{"service": name} if are_mappings else name for name in there]
            yield Difference(path=key, declared=declared, account=there)


def _compare_bindings(
    inputs: Props, live: Mapping[str, Any], script: str, findings: Findings
) -> Iterator[Difference]:
    there = {str(row.get("name")): row for row in live.get("bindings") or ()}
    kept: list[Value] = []
    for given in inputs.get("bindings") or ():
        name = str(given["name"])
        found = there.pop(name, None)
        path = f'bindings["{name}"]'
        if found is None:
            yield Difference(path=path, declared=_drop_values(_to_sent_binding(given)))
            continue
        differences = list(_compare_binding(given, found, script, path))
        yield from differences
        if not differences and _is_secret(found):
            findings.unread.append(f"{name} of {script}")
        kept.append(as_input(found) if differences else given)
    for name, found in there.items():
        kept.append(as_input(found))
        yield Difference(path=f'bindings["{name}"]', account=_drop_values(found))
    inputs["bindings"] = kept


def _refuse_databases(
    inputs: Props, live: Mapping[str, Any], script: str, account: Account, findings: Findings
) -> None:
    """Refuse a script that uses another database: it would lose access to those rows."""
    declared = {str(binding["name"]): binding for binding in inputs.get("bindings") or ()}
    for binding in live.get("bindings") or ():
        name = str(binding.get("name"))
        wanted = declared.get(name, {})
        uuid = binding.get("id") or binding.get("database_id")
        if binding.get("type") != "d1" or wanted.get("type") != "d1" or wanted.get("id") == uuid:
            continue
        row = account.database(str(uuid))
        findings.refuse(
            f"{script} uses the D1 database {row['name'] if row else uuid} as {name}, and the "
            "program binds another one there: the script would lose access to its rows",
            "Name the database that it uses: --names database=NAME, or for a client's own database "
            "`name` below `databases` in the configuration.",
        )


def _compare_binding(
    given: Mapping[str, Any], live: Mapping[str, Any], script: str, path: str
) -> Iterator[Difference]:
    sent = _to_sent_binding(given)
    if sent.get("type") == "inherit":
        return
    hidden = _is_secret(sent) or _is_secret(live) or _may_be_secret(live)
    for key, before, after in find_differences(
        to_comparable(sent, script), to_comparable(live, script)
    ):
        shown = (SECRET, SECRET) if hidden and key in _VALUES else (before, after)
        yield Difference(path=f"{path}.{key}", declared=shown[0], account=shown[1])
        if key == "type":
            return
    if has_unknown(dict(given)):
        # The next `up` creates the bound resource or the value.
        yield Difference(path=path, declared="not known yet", account=_drop_values(live))


def _to_sent_binding(given: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a declared binding to the API's spelling, with masked secrets."""
    masked = {
        key: SECRET if isinstance(item, Secret) else item
        for key, item in given.items()
        if not has_unknown(item)
    }
    return dict(sent_binding(masked))


def as_input(live: Mapping[str, Any], *, camels: bool = True) -> Props:
    """Convert a live binding to inputs; a string that may be a key becomes a secret."""
    found = dict(live)
    if found.get("type") == "durable_object_namespace":
        found.pop("namespace_id", None)  # only Cloudflare's response has it
    if found.get("type") == "d1":
        found["id"] = found.pop("database_id", None) or found.get("id")
    if not camels:
        return found
    texts = {
        key: json.dumps(found.pop(key), sort_keys=True, separators=(",", ":"))
        for key in _JSON_TEXTS & found.keys()
    }
    inputs: Props = {**dict(from_api(found)), **texts}
    if _may_be_secret(live):
        inputs.update((key, Secret(inputs[key])) for key in _VALUES if key in inputs)
    return inputs


def _may_be_secret(live: Mapping[str, Any]) -> bool:
    """Whether a variable seems to hold a secret, which was put there by hand."""
    return _KEY_LIKE.search(str(live.get("name"))) is not None


def _is_secret(binding: Mapping[str, Any]) -> bool:
    return str(binding.get("type")).startswith("secret_")


def _drop_values(binding: Mapping[str, Any]) -> dict[str, Any]:
    """Return a binding without values that may be secret."""
    hidden = _VALUES if _may_be_secret(binding) else _TEXTS
    return {key: value for key, value in binding.items() if key not in hidden}


def _compare_code(inputs: Props, parts: Mapping[str, str]) -> Iterator[Difference]:
    declared = str(inputs.get("mainModule") or "")
    name = declared if declared in parts else next(iter(parts))
    if name and name != declared:
        inputs["mainModule"] = name
        yield Difference(path="main_module", declared=declared, account=name)
    if parts[name] != inputs.get("content"):
        sizes = [f"{len(text.encode()):,} bytes" for text in (inputs["content"], parts[name])]
        yield Difference(path="content", declared=sizes[0], account=sizes[1])
        inputs["content"] = parts[name]


def split_modules(body: str) -> dict[str, str]:
    """Return the modules of a script by name, the main module first.

    Args:
        body: a multipart body, whose first line is its boundary, or only the main module.
    """
    boundary = body.split("\n", 1)[0].strip()
    if not boundary.startswith("--"):
        return {"": body}
    found = {}
    for part in body.split(boundary)[1:]:
        head, separator, rest = part.partition("\r\n\r\n")
        name = head.partition('name="')[2].partition('"')[0]
        if separator and name:
            found[name] = rest.removesuffix("\r\n")
    return found or {"": body}
