"""Commands that a command suggests can be pasted into a shell."""

import re
import shlex
import subprocess
from pathlib import Path

import flowflare
from tests.cli.command import flowflare as run

PACKAGE = Path(flowflare.__file__).parent
#: An option that takes a name, with a name in it that no shell could take apart.
UNQUOTED = re.compile(r"flowflare [a-z -]*(?:--stack|-s|-e) \{(?!quote\()[^}]*\}")
#: Formatted with a quoted name later.
TEMPLATES = PACKAGE / "review/drift/compare.py"


def test_a_folder_with_spaces_is_quoted_by_init(tmp_path: Path) -> None:
    folder = tmp_path / "Bad Name!"
    said = run("init", str(folder))
    go = said.out.partition("Next:  ")[2].partition(" && ")[0]
    done = subprocess.run(
        ["sh", "-c", f"{go} && pwd"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == folder


def test_a_stack_with_spaces_is_quoted_by_preview(root: Path) -> None:
    stack = (root / "Pulumi.local.yaml").read_text()
    (root / "Pulumi.my stack.yaml").write_text(f"{stack.rstrip()}\n  flowflare:environment: mine\n")
    said = run("preview", "--stack", "my stack", "--cwd", str(root))
    following = said.out.rpartition("Next:  ")[2]
    assert shlex.split(following)[-2:] == ["-s", "my stack"], said.err


def test_no_suggested_command_has_a_name_that_is_not_quoted() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != TEMPLATES
        for match in UNQUOTED.finditer(path.read_text("utf-8"))
    ]
    assert found == []
