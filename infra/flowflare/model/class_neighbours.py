"""Describe what other scripts of a stack do with the Durable Object classes of a script."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import Field

from flowflare.model.class_migrations import ClassMigration
from flowflare.model.frozen import Frozen


class ClassNeighbours(Frozen):
    """The other scripts of a stack, as far as one script's classes are concerned."""

    scripts: tuple[str, ...] = Field(default=(), description="All scripts of the stack, sorted.")
    taken: Mapping[str, str] = Field(
        default_factory=dict,
        description="Classes of the script that another script takes over, with the other's name.",
    )
    begun: Mapping[str, str] = Field(
        default_factory=dict,
        description="Classes that other scripts create, with the script's name.",
    )

    def props(self) -> dict[str, object]:
        """Convert to the properties of the provider of class migrations."""
        written = self.model_dump(mode="json")
        return {name: value for name, value in written.items() if value}


def find_neighbours(
    script_name: str, histories: Mapping[str, Sequence[ClassMigration]]
) -> ClassNeighbours:
    """Collect the neighbours of a script.

    Args:
        histories: the class migrations of each script of the stack, by the script's name.
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


def sort_by_transfers(
    histories: Mapping[str, Sequence[ClassMigration]],
    bound: Mapping[str, Collection[str]] | None = None,
) -> tuple[str, ...]:
    """Sort scripts so that the script that receives a class comes before the one that gives it up.

    Scripts that take classes from each other are sorted by name.

    Args:
        histories: the class migrations of each script of the stack, by the script's name.
        bound: the scripts that each script is bound to, which come before it unless transfers
            conflict.
    """
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name in path:
            return
        takers = sorted(set(find_neighbours(name, histories).taken.values()))
        others = sorted((bound or {}).get(name, ()))
        for first in [*takers, *others]:
            if first in histories:
                visit(first, (*path, name))
        done.append(name)

    for name in sorted(histories):
        visit(name, ())
    return tuple(done)
