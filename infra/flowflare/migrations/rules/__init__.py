"""The linter's rules. A rule checks one parsed statement and what the earlier files created."""

from collections.abc import Iterator
from typing import Final

from flowflare.migrations.rules import columns, losses, refusals
from flowflare.migrations.rules.scene import FileScene, Hit
from flowflare.migrations.syntax import Node

_RULES: Final = (*refusals.RULES, *losses.RULES, *columns.RULES)


def check_rules(node: Node, scene: FileScene) -> Iterator[Hit]:
    """Run the rules on a statement, before it has run."""
    for types, rule in _RULES:
        if node["type"] in types:
            yield from rule(node, scene)


__all__ = ["FileScene", "Hit", "check_rules"]
