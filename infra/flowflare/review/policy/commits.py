"""Policies in the comparison of two commits: what HEAD's find, and which of them it weakens.

The policies of this package are judged here, by this release, on what was recorded. The team's own
Python functions run where the program runs, in the recording process of their commit.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.problems import Places
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.errors import PolicyError
from flowflare.reading.files import read_bytes
from flowflare.review.policy.declare import load
from flowflare.review.policy.findings import PolicyFinding as Found
from flowflare.review.policy.findings import Severity
from flowflare.review.policy.judge import (
    KEY,
    accepted,
    built_in,
    configuration_of,
    parsed,
    policies_of,
    python,
)
from flowflare.review.policy.view import Stack, Violation, frozen, of_recording

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.review.record import CommitRecording
    from flowflare.review.report import Note, PolicyFinding
    from flowflare.review.sections import Section

Raw = Mapping[str, Any]


def recorded_policies(project: "Project", raw: Raw, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a recording keeps of a stack's policies; empty where none are switched on.

    It runs the team's Python policies, in the recording process.

    Args:
        project: the project seen through the stack.
        raw: the stack's recording as `engine.recording.dump` made it.
        texts: its long texts by digest.
    """
    policies = policies_of(project)
    if policies is None:
        return {}
    kept: dict[str, Any] = {
        "text": project.values[KEY].text,
        "configuration": configuration_of(project),
        "python": {},
        "sources": {},
        "found": [],
        "error": "",
    }
    try:
        own = load(project.root, policies.python)
    except PolicyError as error:
        return kept | {"error": error.message}
    stack = _stack(project.name, project.stack, kept, raw, texts, None)
    kept["python"] = {one.name: one.severity for one in own}
    kept["sources"] = {file: _digest(project, file) for file in policies.python}
    kept["found"] = [[name, severity, asdict(one)] for name, severity, one in python(stack, own)]
    return kept


def judge_commits(
    base: "CommitRecording",
    head: "CommitRecording",
    sections: "Sequence[Section]",
    day: str,
    allowed_unknown: Collection[str] = (),
) -> "tuple[tuple[PolicyFinding, ...], tuple[Note, ...]]":
    """What HEAD's policies find in every stack, and how they are weaker than the base's.

    Args:
        base: the recording to start from.
        head: the recording to come to.
        sections: the comparison, for policies about the `up`.
        day: the head commit's date, from which ages count.
        allowed_unknown: stacks that may be unknown.

    Returns:
        The findings, the same in several stacks once, errors first; and the notes.
    """
    from flowflare.review.report import Note

    reviews = {
        stack: one.review for one in sections if one.kind != "removed" for stack in one.stacks
    }
    groups: dict[Found, list[str]] = {}
    weaker: dict[str, list[str]] = {}
    for name, raw in sorted(head.stacks.items()):
        kept = raw.get("policies") or {}
        for found in _judged(head, name, raw, reviews.get(name), day) if kept else ():
            groups.setdefault(_common(found, raw.get("words") or {}), []).append(name)
        before = (base.stacks.get(name) or {}).get("policies") or {}
        for text in _weaker(before, kept):
            weaker.setdefault(text, []).append(name)
    for name in _not_judged(base, head):
        severity: Severity = "warning" if name in allowed_unknown else "error"
        groups.setdefault(_NOT_JUDGED.model_copy(update={"severity": severity}), []).append(name)
    notes = [
        Note(kind="other", text=f"{text} ({', '.join(_few(names))})")
        for text, names in sorted(weaker.items())
    ]
    return tuple(_reported(groups)), tuple(notes)


_NOT_JUDGED: Final = Found(
    rule="unknown",
    severity="error",
    message="The stack could not be recorded, so no policy has judged it.",
    remedy="Correct what the report says about it, or accept it: --allow-unknown STACK=REASON.",
)


def _not_judged(base: "CommitRecording", head: "CommitRecording") -> list[str]:
    """Stacks with policies in the base whose head could not be recorded."""
    with_policies = [name for name, raw in sorted(base.stacks.items()) if raw.get("policies")]
    if head.error:
        return with_policies
    return [name for name in with_policies if (head.stacks.get(name) or {}).get("error")]


def _judged(
    head: "CommitRecording", name: str, raw: Raw, review: "Review | None", day: str
) -> tuple[Found, ...]:
    kept = raw["policies"]
    policies = parsed(str(kept.get("text")))
    if policies is None or raw.get("error"):
        return ()
    stack = _stack(head.project, name, kept, raw, head.texts, review)
    found = [*built_in(stack, policies, date.fromisoformat(day)), *_of_python(kept)]
    return accepted(found, policies, name, tuple(kept["python"]), Places(None, name))


def _of_python(kept: Raw) -> Iterator[tuple[str, str, Violation]]:
    if kept["error"]:
        yield "python", "error", Violation(kept["error"], "Correct the file with policies.")
    for rule, severity, given in kept["found"]:
        yield str(rule), str(severity), Violation(**given)


def _stack(
    project: str,
    name: str,
    kept: Raw,
    raw: Raw,
    texts: Mapping[str, str],
    review: "Review | None",
) -> Stack:
    configuration = kept["configuration"]
    return Stack(
        project=project,
        name=name,
        tenant=str(configuration.get("tenant") or ""),
        environment=str(configuration.get("environment") or name),
        resources=of_recording(raw, texts),
        configuration=frozen(configuration),
        plan=review,
    )


def _common(found: Found, words: Mapping[str, str]) -> Found:
    """The finding without what is another in each stack by nature."""
    text = found.message
    for own, common in words.items():
        if not own.startswith("="):  # such a word is a whole value
            text = text.replace(own, common)
    return found.model_copy(update={"message": text})


def _reported(groups: Mapping[Found, Sequence[str]]) -> "Iterator[PolicyFinding]":
    from flowflare.review.report import PolicyFinding

    order = sorted(groups, key=lambda one: (not one.stops, one.rule, one.resource, one.message))
    for one in order:
        said = f"{one.message} (accepted: {one.accepted})" if one.accepted else one.message
        yield PolicyFinding(
            rule=one.rule,
            severity="error" if one.stops else "warning",
            stacks=tuple(groups[one]),
            resource=one.resource,
            message=said,
            remedy="" if one.accepted else one.remedy,
        )


def _weaker(before: Raw, after: Raw) -> Iterator[str]:
    """How HEAD's policies ask for less than the base's, sentences."""
    old = parsed(str(before.get("text"))) if before else None
    if old is None:
        return
    new = parsed(str(after.get("text"))) if after else PoliciesConfig()
    if new is None:
        yield "The policies cannot be read any more"
        return
    yield from _switched_off(old, new)
    yield from _python_gone(before, after)
    for rule, things in sorted(new.accept.items()):
        for thing in sorted(things.keys() - old.accept.get(rule, {}).keys()):
            yield f"The policy {rule} is accepted for {thing} now: {things[thing]}"


def _python_gone(before: Raw, after: Raw) -> Iterator[str]:
    now_there = after.get("python") or {}
    for name, severity in sorted(before["python"].items()):
        if name not in now_there:
            yield f"The policy {name} is gone"
        elif severity == "error" and now_there[name] != "error":
            yield f"The policy {name} only warns now"
    for file, digest in sorted(before["sources"].items()):
        now = (after.get("sources") or {}).get(file)
        if now is not None and now != digest:
            yield f"The policies in {file} are written differently now"


def _switched_off(old: PoliciesConfig, new: PoliciesConfig) -> Iterator[str]:
    now = new.built_in()
    for name, wants in sorted(old.built_in().items()):
        if name not in now:
            yield f"The policy {name} is switched off"
            continue
        was, becomes = wants.model_dump(by_alias=True), now[name].model_dump(by_alias=True)
        changed = [key for key in was if was[key] != becomes[key]]
        if changed:
            said = "; ".join(f"{key}: {was[key]} -> {becomes[key]}" for key in changed)
            yield f"The policy {name} has other parameters now: {said}"


def _few(names: Sequence[str]) -> Iterable[str]:
    yield from names[:5]
    if len(names) > 5:
        yield f"and {len(names) - 5:,} more"


def _digest(project: "Project", file: str) -> str:
    return hashlib.sha256(read_bytes(project.root / file)).hexdigest()[:16]
