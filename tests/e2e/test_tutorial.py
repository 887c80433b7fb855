"""The tutorial: all its commands, in its order, as a newcomer runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import point
from tests.e2e.embedded import Cloudflare

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "index.md"
SECTIONS = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
BLOCK = re.compile(r"^```shell\n(.*?)^```", re.DOTALL | re.MULTILINE)
WALK = [section for section in SECTIONS if BLOCK.search(section)]
# What a reader has been promised to see, by section.
PROMISED = {
    "2. Deploy it": ("11 created", "charge-payment", "Completed", "Nothing would change"),
    "3. Add a second environment": ("11 created", "service_url"),
    "4. Give the client a database": ("0001_create_items.sql",),
    "5. Review the change": ("shop-database", "local", "staging", "The linter refuses it."),
    "6. Deploy the change": ("0001_create_items.sql", "applied", "Completed"),
    "7. Clean up": ("deleted",),
}

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


class Walk:
    """A newcomer's shell: the folder it is in, and how many sections it has done."""

    def __init__(self, folder: Path, cloudflare: Cloudflare) -> None:
        self.folder = folder
        self.home = folder
        self.cloudflare = cloudflare
        self.done = 0

    def run(self, section: str) -> str:
        """Run a section's commands in a shell that stops at the first failure."""
        # Other tests use the emulator, too.
        commands = "".join(BLOCK.findall(section)).replace("flowflare emulator stop\n", "")
        pointed = self.folder != self.home
        done = subprocess.run(
            ["/bin/sh", "-c", f"set -e\n{commands}pwd\n"],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        self.folder = Path(done.stdout.splitlines()[-1])
        if not pointed:
            point(self.folder, self.cloudflare)
            (self.folder / "node_modules").unlink()  # a newcomer's project has none to commit
        self.done += 1
        return done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        git = {
            f"GIT_{who}_{what}": "newcomer"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
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
def test_a_section_does_what_it_says(number: int, section: str, walk: Walk) -> None:
    if walk.done != number:
        pytest.fail(f"section {walk.done + 1} has to pass first, and the sections run in order")
    output = walk.run(section)
    missing = [
        words for words in PROMISED.get(section.partition("\n")[0], ()) if words not in output
    ]
    assert missing == [], output


def test_every_promise_is_of_a_section() -> None:
    assert set(PROMISED) <= {section.partition("\n")[0] for section in WALK}
