"""Judge two commits by policies: what HEAD's policies find, and which of them HEAD weakens.

This release judges what was recorded by the policies of this package. The team's own Python
policies run where the program runs, in the recording process of their commit.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.problems import Places
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.errors import PolicyError
from flowflare.policies.view import Stack, Violation, freeze
from flowflare.reading.files import read_bytes
from flowflare.review.policy.declare import load_policies
from flowflare.review.policy.findings import PolicyFinding as Found
from flowflare.review.policy.findings import Severity
from flowflare.review.policy.judge import (
    KEY,
    add_reasons,
    list_configuration,
    parse_policies,
    read_policies,
    run_built_in,
    run_python,
)
from flowflare.review.policy.view import list_recorded

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.review.record import CommitRecording
    from flowflare.review.report import Note, PolicyFinding
    from flowflare.review.sections import Section

Raw = Mapping[str, Any]


def record_policies(project: "Project", raw: Raw, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what a recording contains of a stack's policies; empty if none are switched on.

    This runs the team's Python policies, in the recording process.

    Args:
        raw: the stack's recording, as `engine.embedded.recording.dump` made it.
        texts: the recording's long strings by digest.
    """
    policies = read_policies(project)
    if policies is None:
        return {}
    kept: dict[str, Any] = {
        "text": project.values[KEY].text,
        "configuration": list_configuration(project),
        "python": {},
        "sources": {},
        "found": [],
        "error": "",
    }
    try:
        own = load_policies(project.root, policies.python)
    except PolicyError as error:
        return kept | {"error": error.message}
    stack = _make_stack(project.name, project.stack, kept, raw, texts, None)
    kept["python"] = {declared.name: declared.severity for declared in own}
    kept["sources"] = {file: _hash_file(project, file) for file in policies.python}
    kept["found"] = [
        [name, severity, asdict(item)] for name, severity, item in run_python(stack, own)
    ]
    return kept


def judge_commits(
    base: "CommitRecording",
    head: "CommitRecording",
    sections: "Sequence[Section]",
    day: str,
    allowed_unknown: Collection[str] = (),
) -> "tuple[tuple[PolicyFinding, ...], tuple[Note, ...]]":
    """Judge every stack by HEAD's policies, and find where they are weaker than the base's.

    Args:
        base: the recording to start from.
        head: the recording to compare with it.
        sections: the comparison, for policies that judge the `up`.
        day: the head commit's date, from which ages are counted.
        allowed_unknown: stacks whose result may be unknown.

    Returns:
        The findings, errors first, each once for all its stacks; and the notes.
    """
    from flowflare.review.report import Note

    reviews = {
        stack: item.review for item in sections if item.kind != "removed" for stack in item.stacks
    }
    groups: dict[Found, list[str]] = {}
    weaker: dict[str, list[str]] = {}
    for name, raw in sorted(head.stacks.items()):
        kept = raw.get("policies") or {}
        for found in _judge(head, name, raw, reviews.get(name), day) if kept else ():
            groups.setdefault(_replace_own_words(found, raw.get("words") or {}), []).append(name)
        before = (base.stacks.get(name) or {}).get("policies") or {}
        for text in _list_weaker(before, kept):
            weaker.setdefault(text, []).append(name)
    for name in _list_not_judged(base, head):
        severity: Severity = "warning" if name in allowed_unknown else "error"
        groups.setdefault(_NOT_JUDGED.model_copy(update={"severity": severity}), []).append(name)
    notes = [
        Note(kind="other", text=f"{text} ({', '.join(_shorten(names))})")
        for text, names in sorted(weaker.items())
    ]
    return tuple(_make_findings(groups)), tuple(notes)


_NOT_JUDGED: Final = Found(
    rule="unknown",
    severity="error",
    message="The stack could not be recorded, so policies have not judged it.",
    remedy="Correct the error in the report, or accept it: --allow-unknown STACK=REASON.",
)


def _list_not_judged(base: "CommitRecording", head: "CommitRecording") -> list[str]:
    """List stacks with policies in the base that could not be recorded at the head."""
    with_policies = [name for name, raw in sorted(base.stacks.items()) if raw.get("policies")]
    if head.error:
        return with_policies
    return [name for name in with_policies if (head.stacks.get(name) or {}).get("error")]


def _judge(
    head: "CommitRecording", name: str, raw: Raw, review: "Review | None", day: str
) -> tuple[Found, ...]:
    kept = raw["policies"]
    policies = parse_policies(str(kept.get("text")))
    if policies is None or raw.get("error"):
        return ()
    stack = _make_stack(head.project, name, kept, raw, head.texts, review)
    found = [*run_built_in(stack, policies, date.fromisoformat(day)), *_restore_python(kept)]
    return add_reasons(found, policies, name, tuple(kept["python"]), Places(None, name))


def _restore_python(kept: Raw) -> Iterator[tuple[str, str, Violation]]:
    if kept["error"]:
        yield "python", "error", Violation(kept["error"], "Correct the file with policies.")
    for rule, severity, given in kept["found"]:
        yield str(rule), str(severity), Violation(**given)


def _make_stack(
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
        resources=list_recorded(raw, texts),
        configuration=freeze(configuration),
        plan=review,
    )


def _replace_own_words(found: Found, words: Mapping[str, str]) -> Found:
    """Replace the words that naturally differ between stacks."""
    text = found.message
    for own, common in words.items():
        if not own.startswith("="):  # a word with `=` stands for a whole value
            text = text.replace(own, common)
    return found.model_copy(update={"message": text})


def _make_findings(groups: Mapping[Found, Sequence[str]]) -> "Iterator[PolicyFinding]":
    from flowflare.review.report import PolicyFinding

    order = sorted(
        groups,
        key=lambda finding: (not finding.stops, finding.rule, finding.resource, finding.message),
    )
    for finding in order:
        said = (
            f"{finding.message} (accepted: {finding.accepted})"
            if finding.accepted
            else finding.message
        )
        yield PolicyFinding(
            rule=finding.rule,
            severity="error" if finding.stops else "warning",
            stacks=tuple(groups[finding]),
            resource=finding.resource,
            message=said,
            remedy="" if finding.accepted else finding.remedy,
        )


def _list_weaker(before: Raw, after: Raw) -> Iterator[str]:
    """Describe how HEAD's policies are weaker than the base's, as sentences."""
    old = parse_policies(str(before.get("text"))) if before else None
    if old is None:
        return
    new = parse_policies(str(after.get("text"))) if after else PoliciesConfig()
    if new is None:
        yield "The policies can no longer be read"
        return
    yield from _list_switched_off(old, new)
    yield from _list_removed(before, after)
    for rule, subjects in sorted(new.accept.items()):
        for subject in sorted(subjects.keys() - old.accept.get(rule, {}).keys()):
            reason = subjects[subject]
            yield f"Findings of the policy {rule} are now accepted for {subject}: {reason}"


def _list_removed(before: Raw, after: Raw) -> Iterator[str]:
    now_there = after.get("python") or {}
    for name, severity in sorted(before["python"].items()):
        if name not in now_there:
            yield f"The policy {name} was removed"
        elif severity == "error" and now_there[name] != "error":
            yield f"The policy {name} now only warns"
    for file, digest in sorted(before["sources"].items()):
        now = (after.get("sources") or {}).get(file)
        if now is not None and now != digest:
            yield f"The file {file} with policies was changed"


def _list_switched_off(old: PoliciesConfig, new: PoliciesConfig) -> Iterator[str]:
    now = new.built_in()
    for name, wants in sorted(old.built_in().items()):
        if name not in now:
            yield f"The policy {name} was switched off"
            continue
        was, becomes = wants.model_dump(by_alias=True), now[name].model_dump(by_alias=True)
        changed = [key for key in was if was[key] != becomes[key]]
        if changed:
            said = "; ".join(f"{key}: {was[key]} -> {becomes[key]}" for key in changed)
            yield f"The policy {name} has other parameters: {said}"


def _shorten(names: Sequence[str]) -> Iterable[str]:
    yield from names[:5]
    if len(names) > 5:
        yield f"and {len(names) - 5:,} more"


def _hash_file(project: "Project", file: str) -> str:
    return hashlib.sha256(read_bytes(project.root / file)).hexdigest()[:16]
