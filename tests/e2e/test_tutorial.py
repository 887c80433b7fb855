"""The commands of the tutorial work, in their order, as a new user runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import use_cloudflare
from tests.e2e.embedded import Cloudflare

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "index.md"
SECTIONS = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
BLOCK = re.compile(r"^```shell\n(.*?)^```", re.DOTALL | re.MULTILINE)
WALK = [section for section in SECTIONS if BLOCK.search(section)]
# Texts that a section promises to the reader.
PROMISED = {
    "2. Deploy it": ("11 created", "charge-payment", "Completed", "Nothing would change"),
    "3. Add a second environment": ("13 created", "service_url", "PAYMENT_KEY"),
    "4. Give the client a database": ("0001_create_items.sql",),
    "5. Review the change": ("shop-database", "local", "staging", "The linter refuses it."),
    "6. Deploy the change": ("Applying plan.json", "0001_create_items.sql", "applied", "Completed"),
    "7. Clean up": ("deleted",),
}

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


class Walk:
    """A new user's shell: the folder that it is in, and the number of sections that it ran."""

    def __init__(self, folder: Path, cloudflare: Cloudflare) -> None:
        self.folder = folder
        self.home = folder
        self.cloudflare = cloudflare
        self.done = 0

    def run(self, section: str) -> str:
        """Run a section's commands in a shell that stops at the first failure."""
        # Other tests also use this emulator.
        commands = "".join(BLOCK.findall(section)).replace("flowflare emulator stop\n", "")
        has_project = self.folder != self.home
        result = subprocess.run(
            ["/bin/sh", "-c", f"set -e\n{commands}pwd\n"],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{commands}\n{result.stdout}\n{result.stderr}"
        self.folder = Path(result.stdout.splitlines()[-1])
        if not has_project:
            use_cloudflare(self.folder, self.cloudflare)
        self.done += 1
        return result.stdout + result.stderr

    def _environment(self) -> dict[str, str]:
        git = {
            f"GIT_{role}_{field}": "newcomer"
            for role in ("AUTHOR", "COMMITTER")
            for field in ("NAME", "EMAIL")
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | git | {"PATH": path, "HOME": str(self.home)}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Walk:
    return Walk(tmp_path_factory.mktemp("tutorial"), cloudflare)


@pytest.mark.parametrize(
    ("number", "section"), list(enumerate(WALK)), ids=[each.partition("\n")[0] for each in WALK]
)
@pytest.mark.long
def test_the_commands_of_a_section_show_what_it_promises(
    number: int, section: str, walk: Walk
) -> None:
    if walk.done != number:
        pytest.fail(f"section {walk.done + 1} has to pass first, and the sections run in order")
    output = walk.run(section)
    missing = [
        words for words in PROMISED.get(section.partition("\n")[0], ()) if words not in output
    ]
    assert missing == [], output


def test_every_promise_belongs_to_a_section() -> None:
    assert set(PROMISED) <= {section.partition("\n")[0] for section in WALK}
