"""URNs, which are the names of resources in state: composing, parsing, and aliases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STACK_TYPE = "pulumi:pulumi:Stack"
#: The package of every dynamic resource of a Python program; its types begin with it.
DYNAMIC_PACKAGE = "pulumi-python"


@dataclass(frozen=True)
class Urn:
    """The parts of `urn:pulumi:<stack>::<project>::<type chain>::<name>`.

    A name may contain `::`. The chain lists the types of the parents below the stack.
    """

    stack: str
    project: str
    chain: str
    name: str

    @property
    def type(self) -> str:
        """The resource's own type, which is the last of the chain."""
        return self.chain.rsplit("$", 1)[-1]

    def __str__(self) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{self.chain}::{self.name}"


def parse(urn: str) -> Urn:
    """Parse a URN.

    Raises:
        ValueError: the text is not a URN.
    """
    parts = urn.split("::", 3)
    if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
        raise ValueError(f"not a URN: {urn!r}")
    return Urn(parts[0].removeprefix("urn:pulumi:"), parts[1], parts[2], parts[3])


def name_of(urn: str) -> str:
    """Return the resource's name."""
    return parse(urn).name


def type_of(urn: str) -> str:
    """Return the resource's type."""
    return parse(urn).type


def child(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return a child's URN; below the stack or no parent, the chain is only the child's type."""
    chain = type_
    if parent:
        above = parse(parent).chain
        chain = type_ if above == STACK_TYPE else f"{above}${type_}"
    return str(Urn(stack, project, chain, name))


@dataclass(frozen=True)
class Alias:
    """An earlier identity of a resource: a whole URN, or the parts that differ.

    Attributes:
        urn: the whole URN; the other fields are then empty.
        name: the earlier name; empty if it is the present one.
        type: the earlier type; empty if it is the present one.
        stack: the earlier stack; empty if it is the present one.
        project: the earlier project; empty if it is the present one.
        parent: the URN of the earlier parent; empty if it is the present one.
        no_parent: whether it had no parent.
    """

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


def earlier_urns(
    urn: str, parent: str, parent_aliases: Sequence[str], aliases: Iterable[Alias]
) -> list[str]:
    """List the earlier URNs under which state may have a resource.

    A child inherits its parent's aliases: below each of them it may have its present name, or the
    name of one of its own aliases. If a child's name begins with its parent's name, the two were
    renamed together, as Pulumi's SDKs assume.

    Args:
        urn: the resource's present URN.
        parent: its parent's URN; empty if it has none.
        parent_aliases: the result of this function for the parent.
    """
    own = parse(urn)
    found: dict[str, None] = {}
    declared = list(aliases)
    for alias in declared:
        found[_resolve_alias(alias, own, parent)] = None
    parent_name = name_of(parent) if parent else ""
    for old_parent in parent_aliases:
        for alias in [Alias(), *declared]:
            name = alias.name or own.name
            if name.startswith(parent_name):
                name = name_of(old_parent) + name[len(parent_name) :]
            if not alias.urn:
                inherited = Alias(type=alias.type, name=name, parent=old_parent)
                found[_resolve_alias(inherited, own, old_parent)] = None
    found.pop(urn, None)
    return list(found)


def _resolve_alias(alias: Alias, own: Urn, parent: str) -> str:
    if alias.urn:
        return alias.urn
    above = "" if alias.no_parent else (alias.parent or parent)
    stack, project = alias.stack or own.stack, alias.project or own.project
    return child(stack, project, above, alias.type or own.type, alias.name or own.name)
