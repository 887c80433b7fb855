"""A generated module of classes, of which only those in use are executed.

`pulumi_cloudflare._inputs` and `outputs` are 290,000 lines of independent classes; running them
costs seconds of CPU, and one program uses a few hundred lines. A `SlicedModule` finds where each
class begins in the source and executes it when somebody asks for it. It holds the same names as
the real module: a star import, or `load_all`, executes everything that is left.
"""

import ast
import re
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
        starts = list(_find_classes(self._source))
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
        """Execute the classes whose names begin with the prefix; return their names."""
        chosen = [name for name in self._exported if name.startswith(prefix)]
        self._execute_classes(chosen)
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
        """Execute every class that is left; return the module's names."""
        self._execute_classes(self._slices)
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
        self._execute_classes([name])
        return vars(self)[name]

    def _execute_classes(self, names: Iterable[str]) -> None:
        """Execute those of the classes that were not executed yet.

        All are compiled at once, with as many empty lines between them as keep the line numbers of
        tracebacks: compiling each on its own reads the lines before it every time.
        """
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
    """Find where each class begins, with its decorator; yields the place and the name.

    Searching for plain text takes a fifth of the time of a regular expression.
    """
    at = source.find(_CLASS)
    while at >= 0:
        line = source.rfind("\n", 0, at) + 1
        match = _NAME.match(source, at + len(_CLASS))
        assert match is not None
        yield line if source[line:at] in _DECORATORS else at + 1, match.group()
        at = source.find(_CLASS, match.end())
