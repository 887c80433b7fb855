"""What the other scripts of a stack have to do with the Durable Object classes of one of them."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import Field

from flowflare.model.class_migrations import ClassMigration
from flowflare.model.frozen import Frozen


class ClassNeighbours(Frozen):
    """The other scripts of a stack, as far as one script's classes are concerned."""

    scripts: tuple[str, ...] = Field(default=(), description="All scripts of the stack, sorted.")
    taken: Mapping[str, str] = Field(
        default_factory=dict,
        description="Classes of the script that another one takes over, with that one's name.",
    )
    begun: Mapping[str, str] = Field(
        default_factory=dict,
        description="Classes that other scripts begin, with the script's name.",
    )

    def props(self) -> dict[str, object]:
        """What there is of them, as the provider of class migrations takes it."""
        written = self.model_dump(mode="json")
        return {name: value for name, value in written.items() if value}


def neighbours_of(
    script_name: str, histories: Mapping[str, Sequence[ClassMigration]]
) -> ClassNeighbours:
    """The neighbours of a script.

    Args:
        script_name: the script.
        histories: the history of each script of the stack by its name in the account.
    """
    others = [(name, step) for name, steps in histories.items() for step in steps]
    return ClassNeighbours(
        scripts=tuple(sorted(histories)),
        taken={
            moved.old: name
            for name, step in others
            for moved in step.transferred_classes
            if moved.from_script == script_name != name
        },
        begun={
            begun: name
            for name, step in others
            if name != script_name
            for begun in step.new_sqlite_classes
        },
    )


def transfer_order(
    histories: Mapping[str, Sequence[ClassMigration]],
    bound: Mapping[str, Collection[str]] | None = None,
) -> tuple[str, ...]:
    """The scripts in an order in which who takes a class over comes before who had it.

    Scripts that take classes from each other stay in the order of their names.

    Args:
        histories: the history of each script of the stack by its name in the account.
        bound: the scripts that each is bound to, which come before it where nothing else is said.
    """
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name in path:
            return
        takers = sorted(set(neighbours_of(name, histories).taken.values()))
        others = sorted((bound or {}).get(name, ()))
        for first in [*takers, *others]:
            if first in histories:
                visit(first, (*path, name))
        done.append(name)

    for name in sorted(histories):
        visit(name, ())
    return tuple(done)
