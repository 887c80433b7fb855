"""What the Node child knows of an account, and which of its scripts a change concerns."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_SCRIPT = "script/"


@dataclass
class Told:
    """The documents that the child was given, and what they depend on."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the scripts' names."""
    _things: dict[str, frozenset[str]] = field(default_factory=dict)
    _dependent: dict[str, set[str]] = field(default_factory=dict)
    _code: Counter[str] = field(default_factory=Counter)

    def has_code(self, name: str) -> bool:
        """Whether the child keeps the code of that name."""
        return self._code[name] > 0

    def concerned(self, things: Iterable[str]) -> set[str]:
        """The names of the scripts whose documents may be others now."""
        names: set[str] = set()
        for thing in things:
            names |= self._dependent.get(thing, set())
            if thing.startswith(_SCRIPT):
                names.add(thing.removeprefix(_SCRIPT))
        return names

    def note(
        self,
        removed: Collection[str],
        documents: Mapping[str, dict[str, Any]],
        things: Mapping[str, frozenset[str]],
    ) -> None:
        """Remembers what the child was told.

        Args:
            removed: the names of scripts that are not there any more.
            documents: documents by script.
            things: what the documents depend on, by script.
        """
        for name in (*removed, *documents):
            if name in self.documents:
                self._code[self.documents.pop(name)["code"]] -= 1
            for thing in self._things.pop(name, frozenset()):
                self._dependent[thing].discard(name)
                if not self._dependent[thing]:
                    del self._dependent[thing]
        for name, document in documents.items():
            self.documents[name] = document
            self._code[document["code"]] += 1
            self._things[name] = things[name]
            for thing in things[name]:
                self._dependent.setdefault(thing, set()).add(name)
