"""Refuse a YAML tree that is infinite through aliases, too deep, or too large.

An alias repeats a node, so a tree of ten lines can expand to a billion values.
"""

from collections.abc import Iterator
from typing import Final

import yaml

from flowflare.errors import Problem

# Far above any real configuration.
_LEVELS: Final = 100
_VALUES: Final = 2_000_000


def check_size(root: yaml.Node, file: str) -> Problem | None:
    """Check whether every alias of a tree can be expanded.

    Args:
        root: the tree.
        file: its name in the problem.

    Returns:
        The problem; None if the tree can be read.
    """
    # The values and levels below each finished node, by the node's identity.
    done: dict[int, tuple[int, int]] = {}
    path: list[tuple[yaml.Node, Iterator[yaml.Node]]] = [(root, _below(root))]
    open_nodes = {id(root)}
    while path:
        node, rest = path[-1]
        child = next((node for node in rest if id(node) not in done), None)
        if child is None:
            path.pop()
            open_nodes.discard(id(node))
            sizes = [done[id(child)] for child in _below(node)]
            values = 1 + sum(size for size, _ in sizes)
            levels = 1 + max((deep for _, deep in sizes), default=0)
            if values > _VALUES:
                text = f"expands to more than {_VALUES:,} values, most of them through aliases"
                return _problem(node, file, text)
            if levels > _LEVELS:
                return _problem(node, file, f"is nested more than {_LEVELS} levels deep")
            done[id(node)] = (values, levels)
        elif id(child) in open_nodes:
            return _problem(child, file, "contains itself, through an alias (`*name`)")
        else:
            open_nodes.add(id(child))
            path.append((child, _below(child)))
    return None


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _problem(node: yaml.Node, file: str, text: str) -> Problem:
    remedy = "Write the values instead of aliases."
    return Problem(f"{file}:{node.start_mark.line + 1}", f"the value {text}", remedy)
