"""The exceptions a person may meet, as one tree.

* FlowflareError               anything a person can put right: subject, cause, remedy; exit code 1
  * ConfigError                configuration problems, all of them at once
  * RenderError                a Worker's source that does not bundle or render
  * NodeError                  the Node programs are missing or broken
  * MigrationError             a D1 migration file or the ledger
  * ClassMigrationError        a Durable Object class migration that must not run
  * SecretError                a secret that cannot be opened or found
  * ApiError                   Cloudflare's API refused, with its code and HTTP status
  * EngineError                the engine: the embedded one, or the Pulumi CLI
    * StateError               state that cannot be read or trusted
      * ConflictError          somebody else has changed what was to be written
    * LockedError              another run holds the stack
    * ProtectedError           a change that would lose data, stopped by `protect`
    * ProgramError             the Pulumi program itself failed
    * UpdateFailed             one or more resources failed; what was made is in state
  * EmulatorError              the embedded Cloudflare cannot start, stop or be reached
  * PolicyError                a policy of the team stops an up, or cannot be used
  * RolloutError               several ups in order: one cannot begin, or its health check failed
  * AdoptionError              what was installed by hand cannot be taken over as it is
  * CommentError               a report that cannot become a pull request's comment
  * FleetError                 a command over tenants or environments cannot go on
"""

from collections.abc import Sequence
from dataclasses import dataclass


class FlowflareError(Exception):
    """A problem its reader can put right.

    Args:
        message: which thing is wrong and what is wrong with it.
        remedy: what to write or run instead, one sentence; shown on a line of its own.
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
    """One mistake in the configuration: where it stands, what is wrong, what to write instead."""

    place: str
    message: str
    remedy: str | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n    {self.remedy}" if self.remedy else text


#: How many of the problems of a configuration are shown; what is wrong in each of 10,000 lines
#: is one mistake.
SHOWN = 100


class ConfigError(FlowflareError):
    """Configuration problems, collected and shown together.

    Args:
        problems: every mistake found, in the order in which a reader meets them; the message has
            the first `SHOWN`.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problems" if len(self.problems) != 1 else "1 problem"
        lines = [f"  {problem}" for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"  and {len(self.problems) - SHOWN} more")
        super().__init__(f"{count} in the configuration:\n" + "\n".join(lines))


class RenderError(FlowflareError):
    """A Worker's source does not bundle or render; the message has file and line."""


class NodeError(FlowflareError):
    """The Node programs (esbuild, Miniflare) are missing or broken."""


class MigrationError(FlowflareError):
    """A D1 migration file, or the ledger of applied ones, is not as it must be."""


class ClassMigrationError(FlowflareError):
    """A Durable Object class migration that must not run."""


class SecretError(FlowflareError):
    """A secret cannot be opened, found or made."""


class ApiError(FlowflareError):
    """Cloudflare's API refused a call.

    Args:
        message: the errors of its envelope, with their codes.
        status: HTTP status, 0 where no answer came.
        codes: Cloudflare's error codes, in the envelope's order.
        remedy: what to do, where it is known.

    Attributes:
        doubtful: whether the call may have been done all the same: one of its attempts got no
            answer, or a failure of the API's own.
    """

    def __init__(
        self, message: str, *, status: int, codes: Sequence[int] = (), remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.codes = tuple(codes)
        self.doubtful = status in (0, 408) or status >= 500


class EngineError(FlowflareError):
    """The engine, the embedded one or the Pulumi CLI, cannot go on."""


class StateError(EngineError):
    """State that cannot be read or trusted."""


class ConflictError(StateError):
    """Somebody else has changed what was to be written; nothing was written."""


class LockedError(EngineError):
    """Another run holds the stack."""


class ProtectedError(EngineError):
    """A change would lose data, and `protect` stops it."""


class ProgramError(EngineError):
    """The Pulumi program failed before it had declared everything."""


class UpdateFailed(EngineError):  # noqa: N818 -- Pulumi's own word for it
    """One or more resources failed; what was made before is in state."""


class EmulatorError(FlowflareError):
    """The embedded Cloudflare cannot start, stop or be reached."""


class PolicyError(FlowflareError):
    """A policy of the team stops an up, or a file with policies cannot be used."""


class RolloutError(FlowflareError):
    """A step of a rollout cannot begin, or what it deployed is not healthy."""


class AdoptionError(FlowflareError):
    """What somebody installed by hand cannot be taken over as it is; nothing was changed."""


class CommentError(FlowflareError):
    """A report that cannot become a pull request's comment, or a service that refuses it."""


class FleetError(FlowflareError):
    """A command over tenants or environments cannot begin, or left some behind."""
