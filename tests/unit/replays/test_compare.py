"""What a replay of an unfinished instance does after a Workflow's steps change."""

import pytest

from flowflare.replays.compare import Version, compare_versions

HEAD = 'import { WorkflowEntrypoint } from "cloudflare:workers";\n'
RUN = """\
const PREFIX = "v1";
export class OrderWorkflow extends WorkflowEntrypoint {
  async run(event, step) {
    const rest = "1 day";
    await step.do("read", () => {});
    await step.sleep("wait", rest);
    await step.do(`${PREFIX} charge`, { retries: { limit: 3 } }, () => pay());
    for (const item of event.payload.rows) await step.do(`ship ${item.id}`, () => {});
    if (event.payload.gift) await step.do("wrap", () => 1);
    else await step.do("wrap", () => 2);
    await step.waitForEvent("paid", { type: "payment" });
  }
}
"""


def compare(*edits: tuple[str, str]) -> list[tuple[str, str]]:
    new = RUN
    for old, becomes in edits:
        assert old in new
        new = new.replace(old, becomes)
    found = compare_versions(
        Version(HEAD + RUN, "OrderWorkflow"), Version(HEAD + new, "OrderWorkflow")
    )
    return [(replay.effect, replay.text) for replay in found]


CHANGES = {
    "renamed": (('"read"', '"load"'), "replays", "`read` is now `load`: instances that finished"),
    "renamed by a constant": (('"v1"', '"v2"'), "replays", "`v1 charge` is now `v2 charge`"),
    "removed": (('    await step.do("read", () => {});\n', ""), "replays", "`read` is removed"),
    "another duration": (('"1 day"', '"2 days"'), "replays", "`wait` sleeps for a different time"),
    "sleep renamed": (('"wait"', '"rest"'), "replays", "sleep again from the start"),
    "another type of event": (
        ('type: "payment"', 'type: "transfer"'),
        "replays",
        "`paid` waits for another type of event",
    ),
    "wait renamed": (('"paid"', '"settled"'), "replays", "wait for another event"),
    "called twice": (
        ('await step.sleep("wait"', 'await step.do("read", g); await step.sleep("wait"'),
        "replays",
        "`read` is called 2 times, before 1",
    ),
    "computed in another way": (("`ship ${item.id}`", "`send ${item.id}`"), "unknown", "computed"),
    "computed from another list": (("payload.rows", "payload.parcels"), "unknown", "computed"),
    "computed now": (('"read"', "event.payload.name"), "unknown", "computed"),
    "moved": (
        (
            'await step.do("read", () => {});\n    await step.sleep("wait", rest);',
            'await step.sleep("wait", rest);\n    await step.do("read", () => {});',
        ),
        "harmless",
        "does not run finished steps again",
    ),
    "added before others": (
        ('await step.sleep("wait"', 'await step.do("check", f); await step.sleep("wait"'),
        "harmless",
        "`check` is new before",
    ),
}


@pytest.mark.parametrize(("edit", "effect", "text"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_names_says_what_a_replay_does(
    edit: tuple[str, str], effect: str, text: str
) -> None:
    [(found, sentence)] = compare(edit)
    assert found == effect
    assert text in sentence


SAME = {
    "the work": ("pay()", "pay(event)"),
    "the timeout of an event": ('{ type: "payment" }', '{ timeout: "1 day", type: "payment" }'),
    "the options of an event in a constant": (
        'await step.waitForEvent("paid", { type: "payment" })',
        'const options = { type: "payment" }; await step.waitForEvent("paid", options)',
    ),
    "retries": ("limit: 3", "limit: 9"),
    "a step at the end": ('type: "payment" });', 'type: "payment" }); await step.do("end", f);'),
    "the name of a variable": ("rest", "nap"),
    "the name of a loop's variable": ("item", "parcel"),
    "spaces and comments": ("await step.do(`ship", "/* ship it */ await   step.do(`ship"),
    "a branch with a name of the other": ("else await", "else if (event.x) await"),
}


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_a_change_of_anything_else_says_nothing(edit: tuple[str, str]) -> None:
    assert compare(edit) == []


def test_calls_of_one_name_that_change_places_get_each_others_results() -> None:
    old, new = (
        f"{HEAD}export class W extends WorkflowEntrypoint {{ async run(e, s) {{ {body} }} }}"
        for body in ('await s.do("x", a); await s.do("x", b);', 's.do("x", b); s.do("x", a);')
    )
    [found] = compare_versions(Version(old, "W"), Version(new, "W"))
    assert found.effect == "replays"
    assert "change places" in found.text


def test_code_that_cannot_be_read_is_unknown() -> None:
    [found] = compare_versions(Version("[unknown]", "W"), Version(HEAD + RUN, "OrderWorkflow"))
    assert found.effect == "unknown"


def test_many_changes_are_counted() -> None:
    old, new = (
        f"{HEAD}export class W extends WorkflowEntrypoint {{ async run(e, s) {{"
        + "".join(f'await s.do("{word} {number}", f);' for number in range(30))
        + "} }"
        for word in ("old", "new")
    )
    found = compare_versions(Version(old, "W"), Version(new, "W"))
    assert found[-1].text == "22 more changes of its steps are not listed."
