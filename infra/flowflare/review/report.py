"""Model the report of `flowflare diff`: what happens to every stack between two commits.

Every format (text, Markdown, HTML, JSON) is made from this model; `flowflare schema report` prints
its JSON Schema. The report does not depend on when or where it was made.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final, Literal

from pydantic import Field

from flowflare.kinds.assessment import Risk, worst
from flowflare.model.frozen import Frozen
from flowflare.review.sections import Section

FORMAT: Final = 1
# Cloudflare's limit for one API token: fundamentals/api/reference/limits.
_MOST_CALLS: Final = 1200
_WINDOW: Final = 300
# Seconds for one call and for the start of one `up`: rough figures, not measurements.
_CALL: Final = 0.5
_START: Final = 3.0


class ReportedCommit(Frozen):
    """One of the two compared commits."""

    name: str = Field(description="The name that the user gave: a branch, a tag or a hash.")
    sha: str = Field(description="The full hash; empty for files that are not committed.")
    subject: str = Field(description="The first line of the commit message.")


class Note(Frozen):
    """Information about the report itself."""

    kind: Literal[
        "allowed-unknown",
        "base-not-recorded",
        "merge-base",
        "not-read",
        "uncommitted",
        "packages",
        "other",
    ] = Field(
        description="`allowed-unknown`: a stack may be unknown; `base-not-recorded`: only HEAD is "
        "shown, as if every stack were new; `merge-base`: the base is the merge base of the two "
        "branches; `not-read`: stand-ins replace values that are not in any commit; "
        "`uncommitted`: uncommitted changes of the working tree are not included; "
        "`packages`: a Worker is shown without its npm packages."
    )
    text: str = Field(description="The text to show.")


class PolicyFinding(Frozen):
    """A finding of one of the team's policies."""

    rule: str = Field(description="The policy's name.")
    severity: Literal["error", "warning"] = Field(description="An error fails the check.")
    stacks: tuple[str, ...] = Field(description="The affected stacks, sorted.")
    resource: str = Field(default="", description="The resource's name; empty for a whole stack.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(default="", description="How to correct it.")


class Counts(Frozen):
    """Totals over all stacks."""

    stacks: int = Field(description="Stacks in either commit.")
    changed: int = Field(description="Stacks that change, including new and removed stacks.")
    not_recorded: int = Field(
        description="Stacks that could not be compared, or in which only such resources are listed."
    )
    create: int = Field(description="Resources created.")
    update: int = Field(description="Resources updated in place.")
    replace: int = Field(description="Resources replaced.")
    delete: int = Field(description="Resources deleted.")
    refused: int = Field(
        description="Operations that `up` would refuse, without those that are skipped as a result."
    )


class Report(Frozen):
    """What `up` at the head commit would change in every stack after `up` at the base commit.

    New keys may be added within a format. Existing keys are not removed and keep their meaning.
    """

    format: Literal[1] = Field(description="Version of this document's format.")
    flowflare: str = Field(description="The release of Flowflare that made the report.")
    project: str = Field(description="The Pulumi project's name.")
    base: ReportedCommit | None = Field(
        description="The commit to start from; null if the start is the stacks' state."
    )
    head: ReportedCommit = Field(description="The commit that is compared with it.")
    risk: Risk = Field(description="The worst risk of all sections.")
    exit_code: Literal[0, 1, 2, 3] = Field(
        description="Exit code of `--exit-code`: 0 nothing changes, 2 something changes, 3 data is "
        "lost; 1 if something could not be compared, unless `allowed_unknown` lists its stack."
    )
    allowed_unknown: Mapping[str, str] = Field(
        default_factory=dict,
        description="Stacks whose result may be unknown without failing the check, each with the "
        "reason from `--allow-unknown`. Their risk is still `unknown`.",
    )
    api_calls: int = Field(
        description="Requests to Cloudflare's API for all stacks if no request fails."
    )
    seconds: int = Field(description="Estimated duration of `up` for all stacks, in seconds.")
    counts: Counts = Field(description="Totals over all stacks.")
    notes: tuple[Note, ...] = Field(default=(), description="About the report itself.")
    policy: tuple[PolicyFinding, ...] = Field(default=(), description="Findings of policies.")
    sections: tuple[Section, ...] = Field(
        description="Each change with the stacks that it affects, riskiest first."
    )
    unchanged: tuple[str, ...] = Field(description="Stacks that do not change, sorted.")


def make_report(  # noqa: PLR0913 -- a report's parts, each by its name
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
    """Make a report from its sections, and compute its totals.

    Args:
        base: the commit to start from.
        head: the commit that is compared with it.
        sections: the changes, riskiest first.
        unchanged: the stacks that do not change.
        notes: about the report itself.
        policy: the findings of policies.
        allowed_unknown: stacks whose result may be unknown, each with the reason.
    """
    allowed = dict(sorted((allowed_unknown or {}).items()))
    calls = sum(section.api_calls * len(section.stacks) for section in sections)
    touched = sum(len(section.stacks) for section in sections if section.api_calls)
    risk = worst(section.risk for section in sections)
    return Report(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=project,
        base=base,
        head=head,
        risk=risk,
        exit_code=_choose_exit_code(sections, risk, allowed),
        allowed_unknown=allowed,
        api_calls=calls,
        seconds=estimate_seconds(calls, touched),
        counts=_count(sections, unchanged),
        notes=(*_note_allowed(allowed), *notes),
        policy=tuple(policy),
        sections=tuple(sections),
        unchanged=tuple(unchanged),
    )


def list_unknown_stacks(sections: Sequence[Section]) -> frozenset[str]:
    """Return the stacks with something that could not be compared."""
    return frozenset(stack for found in sections if _has_unknown(found) for stack in found.stacks)


def _has_unknown(section: Section) -> bool:
    """Return whether something could not be compared, even if a worse risk is known."""
    entries = section.review.entries if section.review else ()
    in_doubt = (reason.risk == "unknown" for entry in entries for reason in entry.reasons)
    return section.risk == "unknown" or bool(section.doubts) or any(in_doubt)


def _choose_exit_code(
    sections: Sequence[Section], risk: Risk, allowed: Mapping[str, str]
) -> Literal[0, 1, 2, 3]:
    unknown = [section for section in sections if _has_unknown(section)]
    # A section without stacks is a whole commit; `--allow-unknown` cannot name it.
    if any(not section.stacks or not allowed.keys() >= set(section.stacks) for section in unknown):
        return 1
    if risk == "loses-data":
        return 3
    return 2 if sections else 0


def _note_allowed(allowed: Mapping[str, str]) -> Iterator[Note]:
    for stack, reason in allowed.items():
        text = f"The result of `{stack}` may be unknown (--allow-unknown): {reason}"
        yield Note(kind="allowed-unknown", text=text)


def estimate_seconds(calls: int, stacks: int) -> int:
    """Estimate the duration of `up` for all stacks, one stack after the other.

    Each `up` takes 3 s to start, and each call half a second: `up` sends some calls concurrently,
    but waits for dependencies. Cloudflare allows a token 1,200 calls in 5 minutes, so every 1,200
    calls after the first 1,200 take at least 5 minutes.

    Args:
        calls: the total number of requests to Cloudflare's API.
        stacks: the number of stacks that need requests.

    Returns:
        Whole seconds; 0 without calls.
    """
    waits = (calls - 1) // _MOST_CALLS * _WINDOW if calls else 0
    return round(max(stacks * _START + calls * _CALL, waits))


def _count(sections: Sequence[Section], unchanged: Sequence[str]) -> Counts:
    def resources(op: str) -> int:
        return sum(
            len(section.stacks) * sum(entry.op == op for entry in section.review.entries)
            for section in sections
            if section.review is not None
        )

    changed = sum(len(section.stacks) for section in sections if section.is_compared)
    not_recorded = sum(len(section.stacks) for section in sections if not section.is_compared)
    return Counts(
        stacks=changed + not_recorded + len(unchanged),
        changed=changed,
        not_recorded=not_recorded,
        create=resources("create"),
        update=resources("update"),
        replace=resources("replace"),
        delete=resources("delete"),
        refused=sum(len(section.stacks) * section.refused_count for section in sections),
    )
