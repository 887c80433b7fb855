"""Refuses a YAML tree that aliases make endless, or that is too deep or too big to be read out.

An alias is the same node once more: a tree of ten lines can stand for a billion values.
"""

from collections.abc import Iterator
from typing import Final

import yaml

from flowflare.errors import Problem

# Nothing that is meant to be configuration comes near them.
_LEVELS: Final = 100
_VALUES: Final = 2_000_000


def too_much(root: yaml.Node, file: str) -> Problem | None:
    """Sees whether each alias can be replaced by what it stands for.

    Args:
        root: the tree.
        file: what the problem calls it.

    Returns:
        The problem, None where the tree can be read.
    """
    # Values and levels below each node that is done; nodes are told apart by what they are.
    done: dict[int, tuple[int, int]] = {}
    path: list[tuple[yaml.Node, Iterator[yaml.Node]]] = [(root, _below(root))]
    open_nodes = {id(root)}
    while path:
        node, rest = path[-1]
        child = next((one for one in rest if id(one) not in done), None)
        if child is None:
            path.pop()
            open_nodes.discard(id(node))
            sizes = [done[id(one)] for one in _below(node)]
            values = 1 + sum(size for size, _ in sizes)
            levels = 1 + max((deep for _, deep in sizes), default=0)
            if values > _VALUES:
                text = f"stands for more than {_VALUES:,} values, most of them through aliases"
                return _problem(node, file, text)
            if levels > _LEVELS:
                return _problem(node, file, f"is nested more than {_LEVELS} levels deep")
            done[id(node)] = (values, levels)
        elif id(child) in open_nodes:
            return _problem(child, file, "holds itself, through an alias (`*name`)")
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
    remedy = "Write the values out where they are meant."
    return Problem(f"{file}:{node.start_mark.line + 1}", f"the value {text}", remedy)
