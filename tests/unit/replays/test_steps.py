"""Which steps a Workflow's code calls, whatever way the code is written in."""

import pytest

from flowflare.replays.steps import list_steps

HEAD = 'import { WorkflowEntrypoint } from "cloudflare:workers";\n'


def read(body: str, *, before: str = "", members: str = "") -> list[tuple[str, str | None]]:
    """The method and the name of each step of a class with this `run`."""
    code = (
        f"{HEAD}{before}\nvar Order = class extends WorkflowEntrypoint {{\n{members}\n"
        f"async run(event, step) {{\n{body}\n}}\n}};\nexport {{ Order as OrderWorkflow }};\n"
    )
    steps = list_steps(code, "OrderWorkflow")
    assert not steps.problem, steps.problem
    return [(call.method, call.name) for call in steps.flat]


WRITTEN = {
    "as in the documentation": 'await step.do("charge", async () => {});',
    "with retries": 'await step.do("charge", { retries: { limit: 3 } }, async () => {});',
    "with an alias": 'const s = step; await s.do("charge", f);',
    "with a late alias": 'let s; s = step; await s.do("charge", f);',
    "destructured": 'const { do: run } = step; await run("charge", f);',
    "bound": 'const run = step.do.bind(step); await run("charge", f);',
    "with call": 'await step.do.call(step, "charge", f);',
    "optional": 'await step?.do("charge", f);',
    "by a computed property": 'await step["do"]("charge", f);',
    "in a closure": 'const track = (name, f) => step.do(name, f); await track("charge", f);',
    "in a function": 'await charge(); function charge() { return step.do("charge", f); }',
    "from an object": 'const tools = { step }; await tools.step.do("charge", f);',
    "by a template of constants": 'const what = "charge"; await step.do(`${what}`, f);',
    "by joined texts": 'await step.do("char" + "ge", f);',
    "with an escape": 'await step.do("ch\\u0061rge", f);',
    "in parallel": 'await Promise.all([step.do("charge", f)]);',
    "in a callback": 'await retry(3, () => step.do("charge", f));',
    "in a list": 'for (const name of ["charge"]) await step.do(name, f);',
    "in a mapped list": 'await Promise.all(["charge"].map((name) => step.do(name, f)));',
    "in a step": 'await outer(async () => { await step.do("charge", f); });',
    "with a default": 'const go = (name = "charge") => step.do(name, f); await go();',
    "in a loop": 'while (true) { await step.do("charge", f); break; }',
    "in a switch": 'switch (event.type) { case "a": await step.do("charge", f); break; }',
    "after a condition": 'event.paid || (await step.do("charge", f));',
    "in an error handler": 'try { work(); } catch (error) { await step.do("charge", f); }',
}


@pytest.mark.parametrize("body", WRITTEN.values(), ids=WRITTEN)
def test_a_step_is_found(body: str) -> None:
    assert read(body) == [("do", "charge")]


MODULES = {
    "a helper whose name esbuild keeps": (
        "await charge(step, 'charge');",
        "var charge = /* @__PURE__ */ __name((s, name) => s.do(name, () => {}), 'charge');",
        "static {\n__name(this, 'Order');\n}",
    ),
    "a helper of the module": (
        "await charge(step, 'charge');",
        "function charge(s, name) { return s.do(name, () => {}); }",
        "",
    ),
    "a tracked step": (
        "await trackedStep(step, this.env, event.instanceId, 'charge', 1, work, { timeout: 5 });",
        "function trackedStep(step, env, id, name, index, execute, config = {}) {\n"
        "  if (id === '') return step.do(name, config, execute);\n"
        "  return step.do(name, config, (context) => execute(context));\n}",
        "",
    ),
    "a name of a function": (
        "await step.do(nameOf('arge'), f);",
        "const START = 'ch'; const nameOf = (rest) => `${START}${rest}`;",
        "",
    ),
    "a method": (
        "this.step = step; await this.charge();",
        "",
        "charge() { return this.step.do('charge', f); }",
    ),
    "a private method": ("await this.#go(step);", "", "async #go(s) { await s.do('charge', f); }"),
    "a class": (
        "await new Steps(step).charge();",
        "class Steps { constructor(step) { this.step = step; }\n"
        "  charge() { return this.step.do('charge', f); } }",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "before", "members"), MODULES.values(), ids=MODULES)
def test_a_step_of_a_helper_is_found(body: str, before: str, members: str) -> None:
    assert set(read(body, before=before, members=members)) == {("do", "charge")}


def test_all_kinds_of_steps_are_found_in_order() -> None:
    body = (
        'await step.do("a", f); await step.sleep("b", "1 day"); '
        'await step.sleepUntil("c", date); await step.waitForEvent("d", { type: "paid" });'
    )
    assert read(body) == [("do", "a"), ("sleep", "b"), ("sleepUntil", "c"), ("waitForEvent", "d")]


@pytest.mark.parametrize(
    "body",
    [
        "for (const item of event.payload) await step.do(`charge ${item.id}`, f);",
        "let n = 0; while (n < 3) { await step.do(`charge ${n}`, f); n++; }",
        "await step.do(event.payload.name, f);",
        "await step.do(`charge ${Date.now()}`, f);",
    ],
)
def test_a_computed_name_is_not_guessed(body: str) -> None:
    assert read(body) == [("do", None)]


def test_code_outside_of_the_bundle_may_call_any_step() -> None:
    before = 'import { wrap } from "some-package";'
    body = 'const s = wrap(step); await s.do("charge", f);'
    assert read(body, before=before) == [("call", None), ("do", "charge")]


def test_minified_code_is_read() -> None:
    code = (
        'import{WorkflowEntrypoint as e}from"cloudflare:workers";var t="charge",n=(e,r)=>'
        "e.do(r,async()=>{}),o=class extends e{async run(e,r){let i=r;await n(i,t),await "
        'i.sleep("rest",6e4)}};export{o as OrderWorkflow};'
    )
    found = [(call.method, call.name) for call in list_steps(code, "OrderWorkflow").flat]
    assert found == [("do", "charge"), ("sleep", "rest")]


def test_run_of_a_parent_is_read() -> None:
    code = (
        f"{HEAD}class Base extends WorkflowEntrypoint {{"
        ' run(e, s) { return s.do("charge", f); } }'
        "\nexport class OrderWorkflow extends Base {}\n"
    )
    assert [call.name for call in list_steps(code, "OrderWorkflow").flat] == ["charge"]


UNREADABLE = {
    "no class": ("export default {};", "OrderWorkflow is not found"),
    "not code": ("[secret]", "OrderWorkflow is not found"),
    "a parent outside of the bundle": (
        "import { B } from 'x'; export class OrderWorkflow extends B {}",
        "OrderWorkflow has no method `run`",
    ),
    "a mistake": ("export class OrderWorkflow { run(e, s) { s.do( } }", "OrderWorkflow"),
    "nested deeply": (
        f"export class OrderWorkflow {{ run(e, s) {{ {'f(' * 5000}{')' * 5000} }} }}",
        "followed",
    ),
    "a long method": (
        f"export class OrderWorkflow {{ run(e, s) {{ {'f(s);' * 12_000} }} }}",
        "too long",
    ),
}


@pytest.mark.parametrize(("code", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_code_that_cannot_be_read_is_a_problem(code: str, problem: str) -> None:
    assert problem in list_steps(code, "OrderWorkflow").problem


def test_a_class_without_steps_has_none() -> None:
    assert list_steps("export class OrderWorkflow {}", "OrderWorkflow").calls == ()


def test_the_steps_of_a_class_in_a_wrapper_are_those_of_the_class() -> None:
    """As `trackedWorkflow` of the runtime, which the bundle of a client contains."""
    code = (
        f"{HEAD}function watched(step) {{ return new Proxy(step, {{}}); }}\n"
        "function trackedWorkflow(Workflow, { workflowType } = {}) {\n"
        "  return class extends Workflow {\n"
        "    async run(event, step) { return super.run(event, watched(step)); }\n"
        "  };\n"
        "}\n"
        "var OrderWorkflow = trackedWorkflow(class extends WorkflowEntrypoint {\n"
        '  async run(event, step) { await step.do("charge", f); await step.sleep("rest", 5); }\n'
        "});\n"
        "export { OrderWorkflow };\n"
    )
    steps = list_steps(code, "OrderWorkflow")
    assert not steps.problem
    assert [(call.method, call.name) for call in steps.flat] == [
        ("do", "charge"),
        ("sleep", "rest"),
    ]
