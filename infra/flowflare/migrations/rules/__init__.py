"""The linter's rules: each looks at one parsed statement and what the files before it made."""

from collections.abc import Iterator
from typing import Final

from flowflare.migrations.rules import columns, losses, refusals
from flowflare.migrations.rules.scene import Hit, Scene
from flowflare.migrations.syntax import Node

_RULES: Final = (*refusals.RULES, *losses.RULES, *columns.RULES)


def hits(node: Node, scene: Scene) -> Iterator[Hit]:
    """What the rules say to a statement before it has run."""
    for types, rule in _RULES:
        if node["type"] in types:
            yield from rule(node, scene)


__all__ = ["Hit", "Scene", "hits"]
