"""Check that no two Workers of a stack share a route or a custom domain."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.config.problems import Finding, Path, full_key, mapping

_KINDS = (("routes", "pattern", "route"), ("domains", "hostname", "custom domain"))


def check_addresses(
    written: Mapping[str, Any], clients: Mapping[str, dict[str, Any]]
) -> Iterator[Finding]:
    """Find routes and domains of two Workers; Cloudflare allows only one Worker for each.

    Args:
        written: the configuration's keys without the namespace.
    """
    workers: list[tuple[Path, Mapping[str, Any]]] = [((), written)]
    workers += [(("clients", name), fields) for name, fields in clients.items()]
    seen: dict[tuple[str, str], Path] = {}
    for worker, fields in workers:
        for key, address, what in _KINDS:
            listed = fields.get(key)
            for index, item in enumerate(listed if isinstance(listed, list) else ()):
                value = mapping(item).get(address)
                path: Path = (*worker, key, index, address)
                if not isinstance(value, str):
                    continue
                first = seen.setdefault((key, value), path)
                if first != path:
                    message = f"{value} is already the {what} of `{full_key(first[:-2])}`"
                    yield path, message, "Keep one of the two."
