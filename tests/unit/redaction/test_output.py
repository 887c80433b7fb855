"""What a program writes to its standard streams, in any way, is filtered."""

import contextlib
import json
import os
import pty
import select
import subprocess
import sys

import pytest

from tests.support.waiting import PATIENCE

PROLOGUE = """
import os, subprocess, sys
from flowflare.redaction.output import redact_output
from flowflare.redaction.run import open_redactor, learn
SECRET, KEY = "canary-+/1234567890", "canary-line-one\\ncanary-line-two\\nend"
print("before")
with open_redactor({}):
    learn(SECRET); learn(KEY); learn("prod")
    with redact_output():
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
        ("sys.stdout.buffer.write(b'\\xff\\xfe\\n'); print('ü')", "\udcff\udcfe\nü\n"),
        ("sys.stdout.buffer.write(b'\\xc3')", "\udcc3"),
        ("subprocess.run(['echo', SECRET], stdout=sys.stdout)", "[secret]\n"),
        ("subprocess.run(['echo', SECRET], stdout=sys.stdout.buffer)", "[secret]\n"),
        ("os.write(sys.stdout.fileno(), SECRET.encode())", "[secret]"),
        ("print('myprod prod')", "myprod [secret]\n"),
        ("print('my', end=''); print('prod')", "myprod\n"),
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


def test_what_a_program_leaves_for_the_end_of_the_process_is_filtered() -> None:
    script = f"""{IMPORTS}
import atexit
ended = threading.Event()
threading._register_atexit(ended.set)
from flowflare.redaction.output import finish_code
with open_redactor({{}}):
    learn(SECRET)
    with redact_output():
        threading.Thread(target=lambda: (ended.wait(), print('thread', SECRET))).start()
        atexit.register(lambda: print('exit', SECRET))
    finish_code()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("thread [secret]\nexit [secret]\n", "")


def test_a_forked_process_shows_no_secret_and_ends() -> None:
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


def test_output_keeps_its_target_and_a_pipe_is_not_a_terminal() -> None:
    body = "print(json.dumps([sys.stdout.isatty(), sys.stdout.fileno(), sys.stdout.encoding]))"
    out, _ = run(f"import json\n{body}")
    assert json.loads(out) == [False, 1, "utf-8"]


# ----------------------------------------------------------------------------------------------

IMPORTS = """
import logging, os, resource, signal, subprocess, sys, threading
from flowflare.redaction.output import redact_output
from flowflare.redaction.run import learn, open_redactor
SECRET = "canary-+/1234567890"
"""


def run_script(body: str) -> tuple[str, str]:
    command = [sys.executable, "-c", IMPORTS + body]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_leftover_handler_of_logging_writes_to_the_original_stream() -> None:
    body = """
def run(*texts):
    with open_redactor({}):
        learn(SECRET)
        with redact_output():
            logging.basicConfig(format="%(message)s")
            for text in texts: logging.warning(text)
run("first " + SECRET)
taken = [os.open(os.devnull, os.O_WRONLY) for _ in range(20)]
logging.warning("between")
run("second " + SECRET)
logging.warning("after")
"""
    _, err = run_script(body)
    assert err == "first [secret]\nbetween\nsecond [secret]\nafter\n"


def test_a_handler_of_logging_filters_between_two_programs_of_a_run() -> None:
    body = """
with open_redactor({}):
    learn(SECRET)
    with redact_output():
        logging.basicConfig(format="%(message)s")
    logging.warning("between %s", SECRET)
"""
    assert run_script(body)[1] == "between [secret]\n"


def test_a_forked_process_that_continues_does_not_delay_the_end() -> None:
    body = """
signal.alarm(20)  # ends the process if the block waits for the copy
waits, go = os.pipe()
with open_redactor({}):
    learn(SECRET)
    with redact_output():
        copy = os.fork()
        if copy == 0:
            os.close(go)
            os.read(waits, 1)
            os._exit(0)
        print("own", SECRET)
print("it continues")
"""
    assert run_script(body)[0] == "own [secret]\nit continues\n"


def test_a_process_that_never_stops_writing_does_not_delay_the_end() -> None:
    body = """
signal.alarm(20)  # ends the process if the block waits for the child
with open_redactor({}):
    learn(SECRET)
    with redact_output():
        child = subprocess.Popen(["sh", "-c", "while :; do echo tick; done"])
        sys.stdout.write(f"own {SECRET}\\n")  # at once, not between two ticks
sys.stdout.write("it continues\\n")  # also in one piece
child.kill()
"""
    out, _ = run_script(body)
    assert "own [secret]\n" in out
    assert "it continues\n" in out


def test_output_is_unchanged_if_no_descriptors_are_left_for_pipes() -> None:
    body = """
free = os.dup(0)
os.close(free)
failures = 0
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
with open_redactor({}):
    for more in range(1, 11):
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + more, hard))
        try:
            with redact_output():
                pass
        except OSError:
            failures += 1
        os.write(1, b"descriptor\\n")
        print("stream", flush=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with redact_output():
        learn(SECRET)
        print(SECRET)
print(failures)
"""
    out, _ = run_script(body)
    assert out == "descriptor\nstream\n" * 10 + "[secret]\n10\n"


def test_a_process_may_have_more_than_1024_descriptors() -> None:
    body = """
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
taken = [os.dup(0) for _ in range(1100)]
with open_redactor({}):
    learn(SECRET)
    with redact_output():
        print(SECRET)
        os.write(1, SECRET.encode())
"""
    assert run_script(body) == ("[secret]\n[secret]", "")


def test_a_forked_process_can_write_while_a_thread_of_the_first_process_writes() -> None:
    body = """
from flowflare.redaction.passage import Passage
from flowflare.redaction.redactor import Redactor
writes, end = threading.Event(), threading.Event()
def put(text):
    if text == "thread":
        writes.set()
        end.wait()
    print(text, flush=True)
passage = Passage(Redactor(), put)
thread = threading.Thread(target=passage.write, args=("thread",))
thread.start()
writes.wait()
copy = os.fork()
if copy == 0:
    signal.alarm(10)
    passage.write("copy")
    os._exit(0)
os.waitpid(copy, 0)
end.set()
thread.join()
"""
    assert run_script(body)[0] == "copy\nthread\n"


@pytest.mark.parametrize("write", ["print({}, end='', flush=True)", "os.write(1, ({}).encode())"])
def test_a_terminal_shows_a_line_of_progress_to_its_last_letter(write: str) -> None:
    script = f"""
import os, sys
from flowflare.redaction.output import redact_output
from flowflare.redaction.run import open_redactor, learn
with open_redactor({{}}):
    learn("%canary-and-more"); learn("0123456789")
    with redact_output():
        {write.format("chr(13) + '20%'")}
        sys.stdin.readline()
        {write.format("chr(13) + '30%'")}
        sys.stdin.readline()
        {write.format("'canary-and-more' + chr(10)")}
"""
    terminal, own = pty.openpty()
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=own) as process:
        os.close(own)
        shown = b""
        for progress in (b"20%", b"30%"):
            while not shown.endswith(progress):
                assert select.select([terminal], [], [], PATIENCE)[0], shown
                shown += os.read(terminal, 1000)
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
        with contextlib.suppress(OSError):  # the end of a terminal
            while data := os.read(terminal, 1000):
                shown += data
    os.close(terminal)
    assert shown == b"\r20%\r30%[secret]\r\n"
