"""What a program writes to its standard streams, in whatever way it does so."""

import json
import os
import subprocess
import sys

import pytest

PROLOGUE = """
import os, subprocess, sys
from flowflare.redaction.output import redacted_output
from flowflare.redaction.redactor import redacting, learn
SECRET, KEY = "canary-+/1234567890", "canary-line-one\\ncanary-line-two\\nend"
print("before")
with redacting({}):
    learn(SECRET); learn(KEY); learn("prod")
    with redacted_output():
        BODY
    print("between " + SECRET[:3])
print("after")
"""


def run(body: str) -> tuple[str, str]:
    script = PROLOGUE.replace("BODY", body.replace("\n", "\n        "))
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "canary" not in done.stdout + done.stderr
    assert done.stdout.startswith("before\n")
    assert done.stdout.endswith("between can\nafter\n")
    return done.stdout.removeprefix("before\n").removesuffix("between can\nafter\n"), done.stderr


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("print('key', SECRET)", "key [secret]\n"),
        ("print(SECRET, end='')", "[secret]"),
        ("sys.stdout.buffer.write(SECRET.encode() + b'\\n')", "[secret]\n"),
        ("os.write(1, SECRET.encode() + b'\\n')", "[secret]\n"),
        ("subprocess.run(['echo', SECRET])", "[secret]\n"),
        ("sys.__stdout__.write(SECRET); sys.__stdout__.flush()", "[secret]"),
        ("sys.__stdout__.write(SECRET)", "[secret]"),
        ("for letter in SECRET: print(letter, end='', flush=True)", "[secret]"),
        ("for letter in SECRET: os.write(1, letter.encode())", "[secret]"),
        ("for letter in 'prod\\n': print(letter, end='', flush=True)", "[secret]\n"),
        ("for letter in 'product\\n': print(letter, end='', flush=True)", "product\n"),
        ("for line in KEY.splitlines(): print(line)", "[secret]\n"),
        ("print('half ' + SECRET[:1], flush=True)", "half c\n"),
        ("print('no secret')\nprint('at all', end='')", "no secret\nat all"),
        ("os.write(1, b'\\xff\\xfe\\n')\nprint('ü')", "\udcff\udcfe\nü\n"),
        ("print(1)\nsubprocess.run(['echo', '2'])\nprint(3)", "1\n2\n3\n"),
    ],
)
def test_standard_output(body: str, out: str) -> None:
    assert run(body) == (out, "")


@pytest.mark.parametrize(
    "body",
    [
        "print(SECRET, file=sys.stderr)",
        "os.write(2, SECRET.encode() + b'\\n')",
        "import logging; logging.warning(SECRET)",
        "import warnings; warnings.warn(SECRET)",
        "subprocess.run(['sh', '-c', f'echo {SECRET} >&2'])",
    ],
)
def test_standard_error(body: str) -> None:
    out, err = run(body)
    assert out == ""
    assert "[secret]" in err


def test_a_thread_that_fails_shows_no_secret() -> None:
    body = """
import threading
def fail(): raise ValueError(SECRET)
thread = threading.Thread(target=fail); thread.start(); thread.join()
"""
    _, err = run(body)
    assert "ValueError: [secret]" in err


def test_a_copy_of_the_process_shows_no_secret_and_ends() -> None:
    body = """
copy = os.fork()
if copy == 0:
    print('copy', SECRET)
    sys.exit()
os.waitpid(copy, 0)
print('own', SECRET)
"""
    assert run(body) == ("copy [secret]\nown [secret]\n", "")


def test_a_process_that_is_left_running_keeps_its_output() -> None:
    out, _ = run("print(subprocess.Popen(['sleep', '30']).pid)")
    os.kill(int(out), 15)


def test_a_program_may_close_its_output() -> None:
    assert run("print('last'); sys.stderr.close()") == ("last\n", "")


def test_output_goes_where_it_went_and_a_pipe_is_no_terminal() -> None:
    body = "print(json.dumps([sys.stdout.isatty(), sys.stdout.fileno() > 2, sys.stdout.encoding]))"
    out, _ = run(f"import json\n{body}")
    assert json.loads(out) == [False, True, "utf-8"]
