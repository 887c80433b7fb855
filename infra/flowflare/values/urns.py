"""URNs: how a resource's name in state is built, taken apart and followed through aliases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STACK_TYPE = "pulumi:pulumi:Stack"
#: The package of every dynamic resource of a Python program; its types begin with it.
DYNAMIC_PACKAGE = "pulumi-python"


@dataclass(frozen=True)
class Urn:
    """The parts of `urn:pulumi:<stack>::<project>::<type chain>::<name>`.

    A name may itself hold `::`; the chain lists the types of the parents below the stack.
    """

    stack: str
    project: str
    chain: str
    name: str

    @property
    def type(self) -> str:
        """The resource's own type, the chain's last."""
        return self.chain.rsplit("$", 1)[-1]

    def __str__(self) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{self.chain}::{self.name}"


def parse(urn: str) -> Urn:
    """Takes a URN apart.

    Raises:
        ValueError: it is not one.
    """
    parts = urn.split("::", 3)
    if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
        raise ValueError(f"not a URN: {urn!r}")
    return Urn(parts[0].removeprefix("urn:pulumi:"), parts[1], parts[2], parts[3])


def name_of(urn: str) -> str:
    """The resource's name."""
    return parse(urn).name


def type_of(urn: str) -> str:
    """The resource's type."""
    return parse(urn).type


def child(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource below a parent's; the stack and no parent add nothing to the chain."""
    chain = type_
    if parent:
        above = parse(parent).chain
        chain = type_ if above == STACK_TYPE else f"{above}${type_}"
    return str(Urn(stack, project, chain, name))


@dataclass(frozen=True)
class Alias:
    """One earlier identity of a resource: a whole URN, or the parts that were different.

    Attributes:
        urn: the whole URN; the other fields are then empty.
        name: earlier name, empty for the present one.
        type: earlier type, empty for the present one.
        stack: earlier stack, empty for the present one.
        project: earlier project, empty for the present one.
        parent: URN of the earlier parent, empty for the present one.
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
    """Every URN under which state may hold a resource, the present one excepted.

    A parent's aliases are inherited: for each of them the child may stand below it, under its
    present name and under each of its own aliases. A child whose name begins with its parent's
    is taken to have been renamed along with it, as Pulumi's SDKs assume.

    Args:
        urn: the resource's present URN.
        parent: its parent's URN, empty for none.
        parent_aliases: what this function returned for the parent.
        aliases: the resource's own aliases, as declared.
    """
    own = parse(urn)
    found: dict[str, None] = {}
    declared = list(aliases)
    for alias in declared:
        found[_resolved(alias, own, parent)] = None
    parent_name = name_of(parent) if parent else ""
    for old_parent in parent_aliases:
        for alias in [Alias(), *declared]:
            name = alias.name or own.name
            if name.startswith(parent_name):
                name = name_of(old_parent) + name[len(parent_name) :]
            if not alias.urn:
                inherited = Alias(type=alias.type, name=name, parent=old_parent)
                found[_resolved(inherited, own, old_parent)] = None
    found.pop(urn, None)
    return list(found)


def _resolved(alias: Alias, own: Urn, parent: str) -> str:
    if alias.urn:
        return alias.urn
    above = "" if alias.no_parent else (alias.parent or parent)
    stack, project = alias.stack or own.stack, alias.project or own.project
    return child(stack, project, above, alias.type or own.type, alias.name or own.name)
