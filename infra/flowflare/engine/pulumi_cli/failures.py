"""Turn error messages of the Pulumi CLI into our errors: a cause, a remedy, no traceback."""

import re
from dataclasses import replace
from shlex import quote
from typing import Final, Literal

from flowflare.errors import (
    EngineError,
    FlowflareError,
    LockedError,
    ProgramError,
    SecretError,
    StateError,
)
from flowflare.values.events import Failure

_COLOR: Final = re.compile(r"<\{%.*?%\}>")
_TRACEBACK: Final = "Traceback (most recent call last):"
# `flowflare.errors.MigrationError: 0002 ...`, as the last line of a traceback begins.
_RAISED: Final = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:: (.*))?$")
_FRAME: Final = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)
_CHECKED: Final = re.compile(r"property (\S+) value .*? has a problem: (.*)", re.DOTALL)
# Messages that repeat a failure after its cause, and that we report ourselves.
_ECHOES: Final = (
    "update failed",
    "preview failed",
    "destroy failed",
    "an unhandled error occurred: program exited with non-zero exit code",
)


# The SDK's error in a program after the engine has ended the run because a resource failed.
_CUT_OFF: Final = "Resource monitor has terminated"


def plain_text(message: str) -> str:
    """Remove the engine's color marks and the surrounding white space from a message."""
    return _COLOR.sub("", message).strip()


def is_echo(message: str) -> bool:
    """Return whether a message only repeats that something failed."""
    return plain_text(message).startswith(_ECHOES) or is_cut_off(message)


def is_cut_off(message: str) -> bool:
    """Return whether a program failed only because the engine had ended the run."""
    return _CUT_OFF in message


def reason(message: str) -> str:
    """Return why a resource or the program failed: an exception's message, not its traceback.

    Args:
        message: the text of a diagnostic, with color marks or without.
    """
    text = plain_text(message)
    if _TRACEBACK in text:
        return _exception(text)
    if checked := _CHECKED.search(text):
        return f"{checked[1]}: {checked[2].strip()}"
    return text


def protection(message: str) -> Literal["", "deleted", "replaced"]:
    """Return what `protect` prevented; empty if something else failed."""
    text = plain_text(message)
    if "marked for protection" in text:
        return "replaced"
    return "deleted" if "because it is protected" in text else ""


def program_reason(message: str) -> str:
    """Return why the program ended: the message of its error, with the place if there is one.

    Args:
        message: the text of a diagnostic that names no resource.
    """
    text = plain_text(message)
    places = _FRAME.findall(text)
    if _TRACEBACK not in text or not places:
        return reason(text)
    file, line = places[-1]
    last = next(row for row in reversed(text.splitlines()) if not row.startswith(" "))
    return f"{file}:{line}: {last}"


def program_error(message: str) -> ProgramError:
    """Make the error of a program that ended before it had declared everything."""
    return ProgramError(message)


def command_error(stderr: str, stdout: str, *, stack: str, backend: str) -> FlowflareError:
    """Make the error of a `pulumi` command that failed before it ran the program.

    Args:
        stderr: what it wrote to standard error.
        stdout: what it wrote to standard output.
        backend: the URL of its backend; empty if it is not known.
    """
    text = _find_errors(stderr) or _find_errors(stdout) or "pulumi ended without saying why"
    for words, make in _KNOWN:
        if any(word in text for word in words):
            return make(text, stack, backend)
    return EngineError(f"pulumi: {text}")


def _make_locked(text: str, stack: str, backend: str) -> FlowflareError:
    del backend
    return LockedError(
        f"stack {stack} is locked: {text}",
        remedy="Wait for the other run to end. If it was killed, make sure that no other run "
        f"uses the stack, then: flowflare unlock --stack {quote(stack)}",
    )


def _make_missing(text: str, stack: str, backend: str) -> FlowflareError:
    del text
    return StateError(
        f"stack {stack} does not exist{f' in {backend}' if backend else ''}",
        remedy=f"Create it: pulumi stack init {stack}. If it is stored elsewhere, set "
        "PULUMI_BACKEND_URL.",
    )


def _make_passphrase(text: str, stack: str, backend: str) -> FlowflareError:
    del text, backend
    return SecretError(
        f"the secrets of stack {stack} cannot be opened with the passphrase that is set",
        remedy="Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the passphrase "
        "that the stack was created with.",
    )


def _make_refused_login(text: str, stack: str, backend: str) -> FlowflareError:
    del text
    return EngineError(
        f"{backend or 'Pulumi Cloud'} refuses the access token, so the state of stack {stack} "
        "cannot be read",
        remedy="Set PULUMI_ACCESS_TOKEN to a valid token, or run: pulumi login",
    )


def _make_login(text: str, stack: str, backend: str) -> FlowflareError:
    del text, backend
    return EngineError(
        f"pulumi does not know where the state of stack {stack} is stored",
        remedy="Set PULUMI_BACKEND_URL, for example to file://~ or "
        "s3://BUCKET?region=REGION, or run: pulumi login",
    )


_KNOWN: Final = (
    (("is currently locked by", "Another update is currently in progress"), _make_locked),
    (("no stack named",), _make_missing),
    (("passphrase must be set", "incorrect passphrase"), _make_passphrase),
    (("PULUMI_ACCESS_TOKEN", "not logged in"), _make_login),
    (("No credentials provided or are invalid",), _make_refused_login),
)


def _find_errors(stream: str) -> str:
    """Return the errors in a stream without hints and tracebacks, or the whole text if none."""
    text = plain_text(stream)
    if _TRACEBACK in text:
        return _exception(text)
    errors = [line.removeprefix("error: ") for line in text.splitlines() if "error: " in line]
    return "\n".join(errors) if errors else text


def _exception(text: str) -> str:
    """Return all lines of the message of a traceback's last exception."""
    lines = text[text.rindex(_TRACEBACK) :].splitlines()[1:]
    for index, line in enumerate(lines):
        raised = _RAISED.match(line)
        if raised and not line.startswith(" "):
            first = raised[2] or raised[1]
            return "\n".join([first, *lines[index + 1 :]]).strip()
    return lines[-1].strip() if lines else text


def explain_taken_name(failure: Failure) -> Failure:
    """Add what to do to a failure in which Cloudflare says that a name is taken."""
    from flowflare.engine.pulumi_cli.lost_answers import is_name_taken

    if not is_name_taken(failure.reason):
        return failure
    advice = (
        "Something in the account has its name, and nothing shows that this stack made it. If it "
        "did, take it over: pulumi import TYPE NAME ID, as `flowflare docs deploy` says. If not, "
        "name yours otherwise (flowflare:names)."
    )
    return replace(failure, reason=f"{failure.reason}\n{advice}")
