"""Choose what an `up` works on: refreshed state, targets, replacements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flowflare.errors import EngineError
from flowflare.values.events import Step


@dataclass(frozen=True)
class Choice:
    """What an `up` works on; the options and their meanings are those of `pulumi up`.

    Attributes:
        refresh: whether state is compared with the account first, so that drift is repaired.
        targets: the URNs of the resources to change; empty for all.
        replaced: the URNs of resources to replace even if nothing in them has changed.
    """

    refresh: bool = False
    targets: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()

    def includes(self, urn: str) -> bool:
        """Return whether a resource may be changed."""
        return not self.targets or urn in self.targets

    def list_words(self) -> list[str]:
        """Return the options for the Pulumi CLI."""
        words = ["--refresh"] if self.refresh else []
        words += [word for urn in self.targets for word in ("--target", urn)]
        return words + [word for urn in self.replaced for word in ("--replace", urn)]


EVERYTHING = Choice()


def choose(
    steps: Sequence[Step], *, refresh: bool, targets: Sequence[str], replaced: Sequence[str]
) -> Choice:
    """Find the resources that options name, by name or URN; `*` matches any text.

    Args:
        steps: the steps of a plan, which has every resource of program and state.
        refresh: whether to compare state with the account first.
        targets: the words of `--target`.
        replaced: the words of `--replace`.

    Raises:
        EngineError: some words do not name a resource; the error lists all of them.
    """
    known = {step.urn: step.name for step in steps if step.custom}
    unknown = [
        f"{option} {word}"
        for option, words in (("--target", targets), ("--replace", replaced))
        for word in words
        if not _find(known, [word])
    ]
    if unknown:
        names = ", ".join(sorted(known.values())) or "none"
        raise EngineError(
            f"{'; '.join(unknown)}: the stack has no such resource", remedy=f"Resources: {names}."
        )
    again = _find(known, replaced)
    # As in Pulumi: what is replaced is not a target by itself.
    return Choice(refresh, _find(known, targets), again)


def _find(known: dict[str, str], words: Iterable[str]) -> tuple[str, ...]:
    wanted = list(words)
    return tuple(
        urn
        for urn, name in known.items()
        if any(fnmatchcase(text, word) for word in wanted for text in (urn, name))
    )
