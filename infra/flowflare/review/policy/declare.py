"""Declare the team's own policies with a decorator, and load the files that contain them."""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final, Literal

from flowflare.errors import PolicyError
from flowflare.policies.view import Stack, Violation

Severity = Literal["error", "warning"]
Check = Callable[[Stack], Iterable[Violation] | None]
_MARK: Final = "__flowflare_policy__"


@dataclass(frozen=True)
class DeclaredPolicy:
    """A policy that a file declares.

    Attributes:
        severity: an `error` stops `up`.
        about: the policy's description, from the function's docstring.
        check: yields the violations of a stack.
        file: the file, relative to the project's folder.
    """

    name: str
    severity: Severity
    about: str
    check: Check
    file: str = ""


def policy(name: str, *, severity: Severity = "error") -> Callable[[Check], Check]:
    """Declare a function as a policy.

    The function receives a `Stack` and yields a `Violation` for each problem. Its result must not
    depend on anything else, such as network or time, because the same commit must always give the
    same report.

    Args:
        name: the policy's name, for `accept` and reports.
        severity: an `error` stops `up` and fails the check of a pull request.
    """

    def mark_policy(check: Check) -> Check:
        about = (check.__doc__ or "").strip().partition("\n")[0]
        setattr(check, _MARK, DeclaredPolicy(name, severity, about, check))
        return check

    return mark_policy


def load_policies(
    root: Path, files: Iterable[str], known: Iterable[str] = ()
) -> tuple[DeclaredPolicy, ...]:
    """Load the policies that files declare, in order of the files.

    Args:
        files: paths relative to it.
        known: names that are already used.

    Raises:
        PolicyError: a file is missing, fails, declares no policy, or uses a name twice.
    """
    found: dict[str, DeclaredPolicy] = {}
    taken = set(known)
    for file in files:
        own = [*_list_policies(_load_module(root, file), file)]
        if not own:
            raise PolicyError(
                f"{file} declares no policy",
                remedy='Add one: @policy("name") above a function; see flowflare docs policies.',
            )
        for declared in own:
            if declared.name in taken:
                raise PolicyError(
                    f"{file}: the policy name {declared.name!r} is already used",
                    remedy="Choose another name.",
                )
            taken.add(declared.name)
            found[declared.name] = declared
    return tuple(found.values())


def find_place(error: BaseException, file: str) -> str:
    """Return `file:line` of a policy's failure: the innermost line in that file."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename.endswith(file)]
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append(error.lineno)
    return f"{file}:{lines[-1]}" if lines else file


def _list_policies(module: ModuleType, file: str) -> Iterator[DeclaredPolicy]:
    for value in vars(module).values():
        declared = getattr(value, _MARK, None)
        if isinstance(declared, DeclaredPolicy):
            yield DeclaredPolicy(
                declared.name, declared.severity, declared.about, declared.check, file
            )


def _load_module(root: Path, file: str) -> ModuleType:
    path = root / file
    if not path.is_file():
        raise PolicyError(
            f"the file {file} with policies does not exist",
            remedy="Correct flowflare:policies: python, or create the file.",
        )
    spec = importlib.util.spec_from_file_location(f"flowflare_policies_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent)
    sys.path.insert(0, folder)  # so that it can import modules next to it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"{find_place(error, file)}: {type(error).__name__}: {error}"
        raise PolicyError(message, remedy="Correct the file.") from error
    finally:
        sys.path.remove(folder)
    return module
