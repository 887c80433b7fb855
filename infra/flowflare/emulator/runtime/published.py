"""Record what the Node child knows of an account, and find the scripts that a change affects."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_SCRIPT = "script/"


@dataclass
class Published:
    """Hold the documents that the child has received, and what they depend on."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By script name."""
    _items: dict[str, frozenset[str]] = field(default_factory=dict)
    _dependent: dict[str, set[str]] = field(default_factory=dict)
    _code: Counter[str] = field(default_factory=Counter)

    def has_code(self, name: str) -> bool:
        """Return whether the child has the code of that name."""
        return self._code[name] > 0

    def find_affected(self, items: Iterable[str]) -> set[str]:
        """Return the names of the scripts whose documents may have changed."""
        names: set[str] = set()
        for item in items:
            names |= self._dependent.get(item, set())
            if item.startswith(_SCRIPT):
                names.add(item.removeprefix(_SCRIPT))
        return names

    def record(
        self,
        removed: Collection[str],
        documents: Mapping[str, dict[str, Any]],
        items: Mapping[str, frozenset[str]],
    ) -> None:
        """Record what the child has received.

        Args:
            removed: the names of deleted scripts.
            items: the items that the documents depend on, by script.
        """
        for name in (*removed, *documents):
            if name in self.documents:
                self._code[self.documents.pop(name)["code"]] -= 1
            for item in self._items.pop(name, frozenset()):
                self._dependent[item].discard(name)
                if not self._dependent[item]:
                    del self._dependent[item]
        for name, document in documents.items():
            self.documents[name] = document
            self._code[document["code"]] += 1
            self._items[name] = items[name]
            for item in items[name]:
                self._dependent.setdefault(item, set()).add(name)
