"""What a program writes to its standard streams, whichever way it does so."""

import json
import os
import subprocess
import sys

import pytest

PROLOGUE = """
import os, subprocess, sys, time
from flowflare.redaction.known import hiding, learn
from flowflare.redaction.streams import hiding_output
SECRET, KEY = "canary-+/1234567890", "canary-line-one\\ncanary-line-two\\nend"
print("before")
with hiding({}):
    learn(SECRET); learn(KEY)
    with hiding_output():
        BODY
    print("between " + SECRET[:3])
print("after")
"""


def run(body: str) -> tuple[str, str]:
    script = PROLOGUE.replace("BODY", body.replace("\n", "\n        "))
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
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
        ("for letter in SECRET: print(letter, end='', flush=True)", "[secret]"),
        ("for letter in SECRET: os.write(1, letter.encode()); time.sleep(0.01)", "[secret]"),
        ("for line in KEY.splitlines(): print(line)", "[secret]\n"),
        ("print('half ' + SECRET[:1], flush=True)", "half c\n"),
        ("print('no secret')\nprint('at all', end='')", "no secret\nat all"),
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


def test_a_program_that_is_left_running_keeps_its_output() -> None:
    out, _ = run("print(subprocess.Popen(['sleep', '30']).pid)")
    os.kill(int(out), 15)


def test_output_goes_where_it_went_and_a_terminal_stays_one() -> None:
    body = "print(json.dumps([sys.stdout.isatty(), sys.stdout.fileno() > 2, sys.stdout.encoding]))"
    out, _ = run(f"import json\n{body}")
    assert json.loads(out) == [False, True, "utf-8"]
