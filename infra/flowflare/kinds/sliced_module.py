"""A generated module of classes, of which only those in use are executed.

`pulumi_cloudflare._inputs` and `outputs` are 290,000 lines of independent classes; running them
costs seconds of CPU, and one program uses a few hundred lines. A `SlicedModule` finds where each
class begins in the source and executes it at its first use. It has the same names as the real
module: a star import, or `load_all`, executes all the remaining classes.
"""

import ast
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

# The generator writes nothing else at the margin after the header.
_CLASS = "\nclass "
_DECORATORS = frozenset({"@pulumi.input_type", "@pulumi.output_type"})
_NAME = re.compile(r"\w+")
_ALL = re.compile(r"^__all__ = (\[.*?^\])", re.MULTILINE | re.DOTALL)


class SlicedModule(ModuleType):
    """A module whose classes are executed at their first use; threads may share it.

    Args:
        path: its source.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self.__file__ = str(path)
        self.__package__ = name.rpartition(".")[0]
        # Another thread may ask for a class that is being executed: it waits for the class.
        self._lock = threading.RLock()
        self._source = path.read_text(encoding="utf-8")
        starts = list(_find_classes(self._source))
        ends = [start for start, _ in starts[1:]] + [len(self._source)]
        self._slices = {name: (start, end) for (start, name), end in zip(starts, ends, strict=True)}
        self._classes = frozenset(self._slices)
        self._first = starts[0][0] if starts else len(self._source)
        exported = _ALL.search(self._source, 0, self._first)
        self._exported: list[str] = ast.literal_eval(exported.group(1)) if exported else []

    def load_header(self) -> None:
        """Execute the lines before the first class: the imports and the list of names."""
        self._execute(self._source[: self._first])
        # A star import must ask for the names, so that it finds them executed.
        vars(self).pop("__all__", None)

    def load(self, prefix: str) -> list[str]:
        """Execute the classes whose names begin with the prefix; return their names."""
        chosen = [name for name in self._exported if name.startswith(prefix)]
        self._execute_classes(chosen)
        return chosen

    @contextmanager
    def exporting(self, names: list[str]) -> Iterator[None]:
        """Limit a star import to these names while the block runs."""
        vars(self)["__all__"] = names
        try:
            yield
        finally:
            vars(self).pop("__all__", None)

    def load_all(self) -> list[str]:
        """Execute all the remaining classes; return the module's names."""
        self._execute_classes(self._slices)
        return self._exported

    def __getattr__(self, name: str) -> Any:
        """Return a class, which is executed on first use, or `__all__` for a star import."""
        if name == "__all__":
            return self.load_all()
        if name in vars(self).get("_classes", ()):
            self._execute_classes([name])
            return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._exported})

    def _execute_classes(self, names: Iterable[str]) -> None:
        """Execute the classes that no thread has executed yet.

        All are compiled at once. Empty lines between them keep the line numbers of tracebacks.
        Compiling each class separately would read the lines before it every time.
        """
        with self._lock:
            slices = sorted(self._slices.pop(name) for name in list(names) if name in self._slices)
            pieces, done = [], 0
            for start, end in slices:
                pieces += ["\n" * self._source.count("\n", done, start), self._source[start:end]]
                done = end
            self._execute("".join(pieces))

    def _execute(self, source: str) -> None:
        code = compile(source, str(self.__file__), "exec")
        exec(code, vars(self))  # noqa: S102 -- the installed package's own source


def _find_classes(source: str) -> Iterator[tuple[int, str]]:
    """Find each class; yield the offset at which it begins, decorator included, and its name.

    A search for plain text takes a fifth of the time of a regular expression.
    """
    at = source.find(_CLASS)
    while at >= 0:
        line = source.rfind("\n", 0, at) + 1
        match = _NAME.match(source, at + len(_CLASS))
        assert match is not None
        yield line if source[line:at] in _DECORATORS else at + 1, match.group()
        at = source.find(_CLASS, match.end())
