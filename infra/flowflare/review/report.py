"""The report of `flowflare diff`: what happens to every stack between two commits, as one model.

Every form (text, Markdown, HTML, JSON) is made of it; `flowflare schema report` prints its JSON
Schema. Nothing in it depends on when or where it was made.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import Field

from flowflare.kinds.assessment import Risk, worst
from flowflare.model.frozen import Frozen
from flowflare.review.document import schema_of
from flowflare.review.sections import Section

FORMAT: Final = 1
# What Cloudflare allows one token: fundamentals/api/reference/limits.
_CALLS_AT_ONCE: Final = 1200
_WINDOW: Final = 300
# Seconds of one call, and of starting one `up`: round figures, not measurements.
_CALL: Final = 0.5
_START: Final = 3.0


class ReportedCommit(Frozen):
    """One of the two commits that are compared."""

    name: str = Field(description="As it was asked for: a branch, a tag, a hash.")
    sha: str = Field(description="Its full hash; empty for files that are in no commit.")
    subject: str = Field(description="The first line of its message.")


class Note(Frozen):
    """Something that a reader has to know about the report itself."""

    kind: Literal[
        "allowed-unknown",
        "base-not-recorded",
        "merge-base",
        "not-read",
        "uncommitted",
        "packages",
        "other",
    ] = Field(
        description="`allowed-unknown`: a stack may be unknown; `base-not-recorded`: the sections "
        "show HEAD alone, as if every stack were new; `merge-base`: the base is where "
        "the two branches parted; `not-read`: values that are in no commit have stand-ins; "
        "`uncommitted`: the working tree's own changes are not in it; "
        "`packages`: a Worker is shown by its sources."
    )
    text: str = Field(description="The sentences to show.")


class PolicyFinding(Frozen):
    """Something that a policy of the team has found."""

    rule: str = Field(description="The policy's name.")
    severity: Literal["error", "warning"] = Field(description="An error fails the check.")
    stacks: tuple[str, ...] = Field(description="The stacks that it is about, sorted.")
    resource: str = Field(default="", description="The resource's name; empty for a whole stack.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="What to write instead.")


class Counts(Frozen):
    """How much there is of what, all stacks together."""

    stacks: int = Field(description="Stacks that either commit has.")
    changed: int = Field(description="Stacks in which something changes, new and removed ones too.")
    not_recorded: int = Field(
        description="Stacks that could not be compared, or that only have resources that could not."
    )
    create: int = Field(description="Resources made.")
    update: int = Field(description="Resources changed in place.")
    replace: int = Field(description="Resources replaced.")
    delete: int = Field(description="Resources deleted.")
    refused: int = Field(description="What `up` would refuse, without what only waits for it.")


class Report(Frozen):
    """What an `up` of every stack would do after the head, had it been done after the base.

    New keys may come within a format; none changes its meaning or goes.
    """

    format: Literal[1] = Field(description="Version of this document's form.")
    flowflare: str = Field(description="The release of Flowflare that made it.")
    project: str = Field(description="The Pulumi project's name.")
    base: ReportedCommit | None = Field(
        description="The commit to start from; null where the start is the stacks' state."
    )
    head: ReportedCommit = Field(description="The commit to come to.")
    risk: Risk = Field(description="The worst risk of all.")
    exit_code: Literal[0, 1, 2, 3] = Field(
        description="Of `--exit-code`: 0 nothing changes, 2 something does, 3 data is lost; 1 if "
        "something could not be compared, whatever else happens, unless `allowed_unknown` has it."
    )
    allowed_unknown: Mapping[str, str] = Field(
        default_factory=dict,
        description="Stacks that may be unknown without failing the check, each with the reason "
        "that `--allow-unknown` gives. Their risk stays `unknown`.",
    )
    api_calls: int = Field(
        description="Requests to Cloudflare's API for all stacks while nothing fails."
    )
    seconds: int = Field(description="How long the ups of all stacks would take, roughly.")
    counts: Counts = Field(description="How much there is of what.")
    notes: tuple[Note, ...] = Field(default=(), description="About the report itself.")
    policy: tuple[PolicyFinding, ...] = Field(default=(), description="What policies have found.")
    sections: tuple[Section, ...] = Field(
        description="Each change with the stacks that it happens to, riskiest first."
    )
    unchanged: tuple[str, ...] = Field(description="Stacks in which nothing changes, sorted.")


def make(  # noqa: PLR0913 -- a report's parts, each by its name
    project: str,
    base: ReportedCommit | None,
    head: ReportedCommit,
    sections: Sequence[Section],
    unchanged: Sequence[str],
    *,
    notes: Sequence[Note] = (),
    policy: Sequence[PolicyFinding] = (),
    allowed_unknown: Mapping[str, str] | None = None,
) -> Report:
    """Makes a report of its sections, everything that is summed up counted.

    Args:
        project: the project's name.
        base: the commit to start from.
        head: the commit to come to.
        sections: the changes, riskiest first.
        unchanged: the stacks in which nothing changes.
        notes: about the report itself.
        policy: what policies have found.
        allowed_unknown: stacks that may be unknown, each with the reason.
    """
    allowed = dict(sorted((allowed_unknown or {}).items()))
    calls = sum(one.api_calls * len(one.stacks) for one in sections)
    touched = sum(len(one.stacks) for one in sections if one.api_calls)
    risk = worst(one.risk for one in sections)
    return Report(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=project,
        base=base,
        head=head,
        risk=risk,
        exit_code=_exit_code(sections, risk, allowed),
        allowed_unknown=allowed,
        api_calls=calls,
        seconds=rollout_seconds(calls, touched),
        counts=_counts(sections, unchanged),
        notes=(*_of_allowed(allowed), *notes),
        policy=tuple(policy),
        sections=tuple(sections),
        unchanged=tuple(unchanged),
    )


def unknown_stacks(sections: Sequence[Section]) -> frozenset[str]:
    """The stacks of which something could not be compared."""
    return frozenset(stack for one in sections if _has_unknown(one) for stack in one.stacks)


def _has_unknown(section: Section) -> bool:
    """Whether something in it could not be compared, even if a worse risk is known."""
    entries = section.review.entries if section.review else ()
    in_doubt = (reason.risk == "unknown" for entry in entries for reason in entry.reasons)
    return section.risk == "unknown" or bool(section.doubts) or any(in_doubt)


def _exit_code(
    sections: Sequence[Section], risk: Risk, allowed: Mapping[str, str]
) -> Literal[0, 1, 2, 3]:
    unknown = [one for one in sections if _has_unknown(one)]
    # A section without stacks is a whole commit, which nobody can accept by name.
    if any(not one.stacks or not allowed.keys() >= set(one.stacks) for one in unknown):
        return 1
    if risk == "loses-data":
        return 3
    return 2 if sections else 0


def _of_allowed(allowed: Mapping[str, str]) -> Iterator[Note]:
    for stack, reason in allowed.items():
        text = f"`{stack}` may be unknown (--allow-unknown): {reason}"
        yield Note(kind="allowed-unknown", text=text)


def rollout_seconds(calls: int, stacks: int) -> int:
    """Estimates how long the ups of all stacks take, one stack after the other.

    Each `up` takes 3 s to start, each call half a second: `up` sends some at the same time, but
    waits for what they depend on. Beyond 1,200 calls the token has to wait: Cloudflare allows so
    many in 5 minutes, so that every further 1,200 take 5 minutes at least.

    Args:
        calls: requests to Cloudflare's API in all.
        stacks: stacks that need any.

    Returns:
        Whole seconds, 0 for no call.
    """
    waits = (calls - 1) // _CALLS_AT_ONCE * _WINDOW if calls else 0
    return round(max(stacks * _START + calls * _CALL, waits))


def json_schema() -> dict[str, Any]:
    """The report's JSON Schema."""
    return schema_of(Report, "flowflare diff --format json")


def _counts(sections: Sequence[Section], unchanged: Sequence[str]) -> Counts:
    def resources(op: str) -> int:
        return sum(
            len(one.stacks) * sum(entry.op == op for entry in one.review.entries)
            for one in sections
            if one.review is not None
        )

    changed = sum(len(one.stacks) for one in sections if one.is_compared)
    not_recorded = sum(len(one.stacks) for one in sections if not one.is_compared)
    return Counts(
        stacks=changed + not_recorded + len(unchanged),
        changed=changed,
        not_recorded=not_recorded,
        create=resources("create"),
        update=resources("update"),
        replace=resources("replace"),
        delete=resources("delete"),
        refused=sum(len(one.stacks) * one.refused for one in sections),
    )
