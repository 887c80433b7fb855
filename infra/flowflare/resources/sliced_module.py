"""A generated module of classes, of which only those in use are executed.

`pulumi_cloudflare._inputs` and `outputs` are 290,000 lines of independent classes; running them
costs seconds of CPU, and one program uses a few hundred lines. A `SlicedModule` finds where each
class begins in the source and executes it when somebody asks for it. It holds the same names as
the real module: a star import, or `load_all`, executes everything that is left.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

# A class with its decorator; the generator writes nothing else at the margin after the header.
_CLASS = re.compile(r"^(?:@pulumi\.(?:input|output)_type\n)?class (\w+)", re.MULTILINE)
_ALL = re.compile(r"^__all__ = (\[.*?^\])", re.MULTILINE | re.DOTALL)


class SlicedModule(ModuleType):
    """A module whose classes come to be one by one.

    Args:
        name: the module's full name.
        path: its source.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self.__file__ = str(path)
        self.__package__ = name.rpartition(".")[0]
        self._source = path.read_text(encoding="utf-8")
        starts = [(match.start(), match.group(1)) for match in _CLASS.finditer(self._source)]
        ends = [start for start, _ in starts[1:]] + [len(self._source)]
        self._slices = {name: (start, end) for (start, name), end in zip(starts, ends, strict=True)}
        self._first = starts[0][0] if starts else len(self._source)
        exported = _ALL.search(self._source, 0, self._first)
        self._exported: list[str] = ast.literal_eval(exported.group(1)) if exported else []

    def load_header(self) -> None:
        """Executes what stands before the first class: imports, and the list of names."""
        self._execute(self._source[: self._first])
        # A star import must ask for the names, so that it finds them executed.
        vars(self).pop("__all__", None)

    def load(self, prefix: str) -> list[str]:
        """Executes the classes whose names begin with the prefix; returns their names."""
        chosen = [name for name in self._exported if name.startswith(prefix)]
        for name in chosen:
            getattr(self, name)
        return chosen

    @contextmanager
    def exporting(self, names: list[str]) -> Iterator[None]:
        """Inside the block a star import gets these names only."""
        vars(self)["__all__"] = names
        try:
            yield
        finally:
            vars(self).pop("__all__", None)

    def load_all(self) -> list[str]:
        """Executes every class that is left; returns the module's names."""
        pieces, done = [], 0
        for start, end in sorted(self._slices.values()):
            pieces += [self._empty_lines(done, start), self._source[start:end]]
            done = end
        self._slices = {}
        self._execute("".join(pieces))
        return self._exported

    def __getattr__(self, name: str) -> Any:
        """A class that was not executed yet, or `__all__` for a star import."""
        if name == "__all__":
            return self.load_all()
        if name in vars(self).get("_slices", {}):
            return self._load(name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._exported})

    def _load(self, name: str) -> Any:
        if name in self._slices:
            start, end = self._slices.pop(name)
            self._execute(self._empty_lines(0, start) + self._source[start:end])
        return vars(self)[name]

    def _empty_lines(self, start: int, end: int) -> str:
        """As many lines as the source has there: they keep the line numbers of tracebacks."""
        return "\n" * self._source.count("\n", start, end)

    def _execute(self, source: str) -> None:
        code = compile(source, str(self.__file__), "exec")
        exec(code, vars(self))  # noqa: S102 -- the installed package's own source
