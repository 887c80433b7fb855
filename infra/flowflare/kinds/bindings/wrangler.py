"""Convert a binding from Cloudflare's API to wrangler's configuration."""

from collections.abc import Mapping
from typing import Any

from flowflare.kinds.bindings.contract import WranglerVariable
from flowflare.kinds.bindings.registry import find_binding_type


def add_binding(config: dict[str, Any], binding: Mapping[str, Any]) -> None:
    """Add a binding to a wrangler configuration.

    A type that wrangler has no key for is passed to the API unchanged, below `unsafe`.

    Args:
        config: the configuration, which is changed.
        binding: the binding in the API's form, without secrets.
    """
    name, words = binding["name"], find_binding_type(binding["type"]).wrangler
    if isinstance(words, WranglerVariable):
        config.setdefault("vars", {})[name] = binding[words.value]
        return
    fields = {key: value for key, value in binding.items() if key not in ("type", "name")}
    converted = None if words is None else words.convert(fields)
    if words is None or converted is None:
        config.setdefault("unsafe", {}).setdefault("bindings", []).append(dict(binding))
        return
    entry = {words.name: name}
    entry |= {words.renamed.get(key, key): value for key, value in converted.items()}
    if words.is_alone:
        config[words.key] = entry
    elif words.below is None:
        config.setdefault(words.key, []).append(entry)
    else:
        config.setdefault(words.key, {}).setdefault(words.below, []).append(entry)
