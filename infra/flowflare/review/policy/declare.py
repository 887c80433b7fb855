"""Policies of the team's own: the decorator that declares one, and the files they stand in."""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final, Literal

from flowflare.errors import PolicyError
from flowflare.review.policy.view import Stack, Violation

Severity = Literal["error", "warning"]
Check = Callable[[Stack], Iterable[Violation] | None]
_MARK: Final = "__flowflare_policy__"


@dataclass(frozen=True)
class Declared:
    """A policy that a file declares.

    Attributes:
        name: its name.
        severity: an `error` stops `up`.
        about: what it wants, the function's docstring.
        check: yields what breaks it.
        file: the file, relative to the project's folder.
    """

    name: str
    severity: Severity
    about: str
    check: Check
    file: str = ""


def policy(name: str, *, severity: Severity = "error") -> Callable[[Check], Check]:
    """Declares a function as a policy.

    The function gets a `Stack` and yields a `Violation` for each thing that is not as it must be.
    It must depend on nothing else, neither network nor time: the same commit is to give the same
    report.

    Args:
        name: its name, which `accept` and reports use.
        severity: an `error` stops `up` and fails the check of a pull request.
    """

    def declared(check: Check) -> Check:
        about = (check.__doc__ or "").strip().partition("\n")[0]
        setattr(check, _MARK, Declared(name, severity, about, check))
        return check

    return declared


def load(root: Path, files: Iterable[str], known: Iterable[str] = ()) -> tuple[Declared, ...]:
    """The policies that files declare, in the files' order.

    Args:
        root: the project's folder.
        files: paths relative to it.
        known: names that are taken.

    Raises:
        PolicyError: a file is not there, fails, declares none, or uses a name twice.
    """
    found: dict[str, Declared] = {}
    taken = set(known)
    for file in files:
        own = [*_in(_module(root, file), file)]
        if not own:
            raise PolicyError(
                f"{file} declares no policy",
                remedy='Write one: @policy("name") above a function; see flowflare docs policies.',
            )
        for one in own:
            if one.name in taken:
                raise PolicyError(
                    f"{file}: there is a policy {one.name!r} already", remedy="Name it otherwise."
                )
            taken.add(one.name)
            found[one.name] = one
    return tuple(found.values())


def place_of(error: BaseException, file: str) -> str:
    """`file:line` of a policy's failure, the innermost line of that file."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename.endswith(file)]
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append(error.lineno)
    return f"{file}:{lines[-1]}" if lines else file


def _in(module: ModuleType, file: str) -> Iterator[Declared]:
    for value in vars(module).values():
        declared = getattr(value, _MARK, None)
        if isinstance(declared, Declared):
            yield Declared(declared.name, declared.severity, declared.about, declared.check, file)


def _module(root: Path, file: str) -> ModuleType:
    path = root / file
    if not path.is_file():
        raise PolicyError(
            f"there is no file {file} with policies",
            remedy="Correct flowflare:policies: python, or write the file.",
        )
    spec = importlib.util.spec_from_file_location(f"flowflare_policies_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent)
    sys.path.insert(0, folder)  # what lies beside it can be imported
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"{place_of(error, file)}: {type(error).__name__}: {error}"
        raise PolicyError(message, remedy="Correct the file.") from error
    finally:
        sys.path.remove(folder)
    return module
