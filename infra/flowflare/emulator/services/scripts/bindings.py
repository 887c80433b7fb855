"""A version's bindings: what an upload asks for becomes the whole list, if the account has it all.

An upload replaces bindings wholesale; what shall stay is named one by one (`inherit`) or by type
(`keep_bindings`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import Binding

_SECRET_PARTS = {"secret_text": ("text",), "secret_key": ("key_base64", "key_jwk")}


@dataclass(frozen=True)
class Surroundings:
    """What else is in the account, as far as bindings may point to it."""

    script: str
    """The script being uploaded."""
    scripts: Collection[str]
    databases: Collection[str]
    workflows: Collection[str]
    ledger: Ledger
    exported: Collection[str]
    """The classes the new version exports."""


def resolve(
    asked: Sequence[Binding], previous: Sequence[Binding], kept: Collection[str], *, strict: bool
) -> list[Binding]:
    """The whole list of bindings of the new version.

    Args:
        asked: the upload's list.
        previous: the bindings of the live version.
        kept: `keep_bindings`, types whose bindings stay unless the upload names them.
        strict: whether an `inherit` that finds nothing is refused rather than dropped.

    Raises:
        Refusal: 10052 a binding without a name, 10053 a name twice, 10057 nothing to inherit.
    """
    before = {each["name"]: each for each in previous}
    resolved: dict[str, Binding] = {}
    missing: list[str] = []
    for each in asked:
        name = _name(each, {*resolved, *missing})
        found = _inherited(each, before) if each.get("type") == "inherit" else each
        if found is None:
            missing.append(name)
        else:
            resolved[name] = {key: value for key, value in found.items() if value is not None}
    if missing and strict:
        raise codes.inherited_missing(missing)
    for name, each in before.items():
        if each["type"] in kept:
            resolved.setdefault(name, each)
    return sorted(resolved.values(), key=lambda each: str(each["name"]))


def _name(binding: Binding, taken: Collection[str]) -> str:
    name = binding.get("name")
    if not isinstance(name, str) or not name:
        raise codes.binding_without_name()
    if name in taken:
        raise codes.binding_name_twice(name)
    return name


def _inherited(asked: Binding, before: Mapping[str, Binding]) -> Binding | None:
    found = before.get(str(asked.get("old_name") or asked["name"]))
    return {**found, "name": asked["name"]} if found else None


def check(bindings: Sequence[Binding], around: Surroundings) -> None:
    """Refuses a binding whose target is not there.

    Raises:
        Refusal: 10021, 10061, 10143, 10181 or 10200.
    """
    for each in bindings:
        checker = _CHECKERS.get(str(each.get("type")))
        if checker:
            checker(each, around)


def without_secrets(binding: Binding) -> dict[str, Any]:
    """A binding as answers show it."""
    hidden = _SECRET_PARTS.get(str(binding["type"]), ())
    return {key: value for key, value in binding.items() if key not in hidden}


def is_secret(binding: Binding) -> bool:
    """Whether the binding holds a value that no answer shows."""
    return binding["type"] in _SECRET_PARTS


def owner(binding: Binding, script: str) -> str:
    """The script a Durable Object or Workflow binding of `script` points to."""
    return str(binding.get("script_name") or script)


def _database(binding: Binding, around: Surroundings) -> None:
    wanted = binding.get("id") or binding.get("database_id")
    if not wanted:
        raise codes.invalid_script(
            f"binding {binding['name']} of type d1 must have a valid `id` specified"
        )
    if wanted not in around.databases:
        raise codes.database_in_binding(str(binding["name"]), str(wanted))


def _service(binding: Binding, around: Surroundings) -> None:
    wanted = _required(binding, "service")
    if wanted not in around.scripts:
        raise codes.service_in_binding(str(binding["name"]), wanted)


def _object(binding: Binding, around: Surroundings) -> None:
    name, script = _required(binding, "class_name"), owner(binding, around.script)
    if script not in around.scripts:
        raise codes.class_in_no_script(name, script)
    if script == around.script and name not in around.exported:
        raise codes.class_not_exported(name)
    if (script, name) not in around.ledger:
        raise codes.class_not_configured(name)


def _workflow(binding: Binding, around: Surroundings) -> None:
    wanted, script = _required(binding, "workflow_name"), owner(binding, around.script)
    # A script is uploaded before its own Workflows are made, as wrangler does.
    own = script == around.script and binding.get("class_name")
    if not own and wanted not in around.workflows:
        raise codes.workflow_in_binding(str(binding["name"]), wanted)


def _text(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001 -- one shape for all
    _required(binding, "text", empty=True)


def _required(binding: Binding, key: str, *, empty: bool = False) -> str:
    value = binding.get(key)
    if isinstance(value, str) and (value or empty):
        return value
    raise codes.invalid_script(
        f"binding {binding['name']} of type {binding['type']} must have a valid `{key}` specified"
    )


_CHECKERS: Mapping[str, Callable[[Binding, Surroundings], None]] = {
    "d1": _database,
    "service": _service,
    "durable_object_namespace": _object,
    "workflow": _workflow,
    "secret_text": _text,
    "plain_text": _text,
}
