"""Define the exceptions for users as one tree.

* FlowflareError               a problem that a user can fix: subject, cause, remedy; exit code 1
  * ConfigError                configuration problems, all of them at once
  * RenderError                a Worker's source that cannot be bundled or rendered
  * NodeError                  the Node programs are missing or broken
  * MigrationError             a D1 migration file or the ledger
  * ClassMigrationError        a Durable Object class migration that must not run
  * SecretError                a secret that cannot be decrypted or found
  * ApiError                   Cloudflare's API refused a call, with its code and HTTP status
  * EngineError                the engine: the embedded one, or the Pulumi CLI
    * StateError               state that cannot be read or trusted
      * ConflictError          another process has changed an object before it was written
    * LockedError              another run has locked the stack
    * ProtectedError           a change that would lose data, stopped by `protect`
    * ProgramError             the Pulumi program itself failed
    * UpdateFailed             one or more resources failed; earlier changes are in state
    * PlanError                a saved plan that is not what `up` would do now
  * EmulatorError              the embedded Cloudflare cannot start, stop or be reached
  * PolicyError                a policy of the team stops an up, or cannot be used
  * RolloutError               one of several ups in order cannot begin, or its health check failed
  * AdoptionError              existing resources cannot be imported as they are
  * CommentError               a report that cannot become a pull request's comment
  * FleetError                 a command over tenants or environments cannot continue
"""

from collections.abc import Sequence
from dataclasses import dataclass


class FlowflareError(Exception):
    """A problem that its reader can fix.

    Args:
        message: the subject and what is wrong with it.
        remedy: what to write or run instead, in one sentence; printed on its own line.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True)
class Problem:
    """One mistake in the configuration: its place, what is wrong, and what to write instead."""

    place: str
    message: str
    remedy: str | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n    {self.remedy}" if self.remedy else text


#: How many problems of a configuration are printed. A problem of each of 10,000 lines usually has
#: one cause.
SHOWN = 100


class ConfigError(FlowflareError):
    """Configuration problems, which are reported together.

    Args:
        problems: all mistakes, in the order of the files; the message has the first `SHOWN`.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problems" if len(self.problems) != 1 else "1 problem"
        lines = [f"  {problem}" for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"  and {len(self.problems) - SHOWN} more")
        super().__init__(f"{count} in the configuration:\n" + "\n".join(lines))


class RenderError(FlowflareError):
    """A Worker's source cannot be bundled or rendered; the message has file and line."""


class NodeError(FlowflareError):
    """The Node programs (esbuild, Miniflare) are missing or broken."""


class MigrationError(FlowflareError):
    """A D1 migration file or the ledger of applied migrations is invalid."""


class ClassMigrationError(FlowflareError):
    """A Durable Object class migration must not run."""


class SecretError(FlowflareError):
    """A secret cannot be decrypted, found or generated."""


class ApiError(FlowflareError):
    """Cloudflare's API refused a call.

    Args:
        message: the errors of the response's envelope, with their codes.
        status: the HTTP status; 0 without a response.
        codes: Cloudflare's error codes, in the envelope's order.
        remedy: what to do, if known.

    Attributes:
        doubtful: whether the call may have succeeded despite the error, because an attempt got no
            response or an internal error.
    """

    def __init__(
        self, message: str, *, status: int, codes: Sequence[int] = (), remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.codes = tuple(codes)
        self.doubtful = status in (0, 408) or status >= 500


class EngineError(FlowflareError):
    """The embedded engine or the Pulumi CLI cannot continue."""


class StateError(EngineError):
    """State cannot be read or trusted."""


class ConflictError(StateError):
    """Another process has changed an object before it was written; nothing was written."""


class LockedError(EngineError):
    """Another run has locked the stack."""


class ProtectedError(EngineError):
    """A change would lose data, and `protect` stops it."""


class ProgramError(EngineError):
    """The Pulumi program failed before it had declared everything."""


class UpdateFailed(EngineError):  # noqa: N818 -- Pulumi's own word for it
    """One or more resources failed; earlier changes are in state."""


class PlanError(EngineError):
    """A saved plan is not what `up` would do now, or is not the approved one."""


class EmulatorError(FlowflareError):
    """The embedded Cloudflare cannot start, stop or be reached."""


class PolicyError(FlowflareError):
    """A policy of the team refuses an up, or a file with policies cannot be used."""


class RolloutError(FlowflareError):
    """A step of a rollout cannot begin, or what it deployed is not healthy."""


class AdoptionError(FlowflareError):
    """Existing resources cannot be imported as they are; nothing was changed."""


class CommentError(FlowflareError):
    """A report cannot become a pull request's comment, or the service refuses the comment."""


class FleetError(FlowflareError):
    """A command over tenants or environments cannot begin, or has failed for some of them."""
