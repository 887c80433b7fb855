"""From Pulumi's flat configuration to a stack's model."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowflare.config.load import load_stack
from flowflare.errors import ConfigError
from flowflare.kinds.workers_script.settings import ScriptSettings
from flowflare.model.client import ClientSpec, WorkflowSpec
from flowflare.model.stack import StackSpec

ACCOUNT = {"flowflare:accountId": "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"}
ORDERS = {
    "orders": {
        "source": "worker_src/orders/src/index.js",
        "workflows": {"order-processing": {"className": "OrderWorkflow"}},
    }
}


def load(
    values: Mapping[str, object], *, stack: str = "prod", root: Path | None = None
) -> StackSpec:
    texts = {
        f"flowflare:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    return load_stack(ACCOUNT | texts, project="flowflare", stack=stack, root=root)


def problems(
    values: Mapping[str, object], *, stack: str = "prod", root: Path | None = None
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(values, stack=stack, root=root)
    return [problem.message for problem in caught.value.problems]


def test_an_example_stack_is_loaded() -> None:
    spec = load({"clients": ORDERS, "tenant": "acme"})
    assert spec.environment_name == "prod"
    assert spec.service.script_name == "acme-prod-flowflare-service"
    assert spec.service.database_name == "acme-prod-flowflare-db"
    assert spec.protect
    assert spec.clients == (
        ClientSpec(
            name="orders",
            script_name="acme-prod-flowflare-orders",
            source="worker_src/orders/src/index.js",
            workflows=(
                WorkflowSpec(
                    name="order-processing",
                    workflow_name="acme-prod-flowflare-order-processing",
                    class_name="OrderWorkflow",
                    binding="ORDER_PROCESSING",
                ),
            ),
            variables={},
            workers_dev=True,
            compatibility_date="2026-11-01",
            compatibility_flags=(),
            settings=ScriptSettings().to_wire(),
        ),
    )


def test_a_stack_without_clients_has_only_the_service() -> None:
    assert load({}).clients == ()


def test_flat_keys_configure_the_service() -> None:
    values = {
        "allowedOrigins": ["https://app.example"],
        "debug": True,
        "workersDev": False,
        "observability": True,
        "compatibilityDate": "2026-10-01",
        "compatibilityFlags": ["nodejs_compat"],
    }
    service = load(values).service
    assert service.allowed_origins == ("https://app.example",)
    assert (service.debug, service.workers_dev) == (True, False)
    assert service.settings["observability"]["enabled"]
    assert service.compatibility_date == "2026-10-01"
    assert service.compatibility_flags == ("nodejs_compat",)
    assert (service.retention_days, service.stuck_after_minutes, service.crons) == (None,) * 3


def test_a_retention_adds_a_cron_trigger() -> None:
    service = load({"retentionDays": 30, "stuckAfterMinutes": 0}).service
    assert (service.retention_days, service.stuck_after_minutes) == (30, 0)
    assert service.crons == ("*/10 * * * *",)


def test_overrides_replace_single_fields() -> None:
    overrides = {"orders": {"variables": {"LIMIT": 5, "ON": True}, "crons": []}}
    [client] = load({"clients": ORDERS, "clientOverrides": overrides}).clients
    assert client.variables == {"LIMIT": "5", "ON": "true"}
    assert client.crons == ()
    assert client.workflows


def test_chosen_names_are_used_verbatim() -> None:
    names = {
        "service": "flowflare-service",
        "database": "flowflare",
        "clients": {"orders": "shop_orders"},
        "workflows": {"order-processing": "orders"},
    }
    spec = load({"clients": ORDERS, "names": names})
    assert spec.service.script_name == "flowflare-service"
    assert spec.service.database_name == "flowflare"
    assert spec.clients[0].script_name == "shop_orders"
    assert spec.clients[0].workflows[0].workflow_name == "orders"


def test_a_date_that_another_yaml_library_wrote_as_a_timestamp_is_a_date() -> None:
    assert load({"compatibilityDate": "2026-11-01T00:00:00Z"}).service.compatibility_date == (
        "2026-11-01"
    )


def test_protection_can_be_removed_for_one_resource() -> None:
    spec = load({"allowDataLoss": {"flowflare-service-database": "the tenant left"}})
    assert not spec.is_protected("flowflare-service-database")
    assert spec.is_protected("flowflare-service-script")
    assert not load({"protect": False}).is_protected("flowflare-service-script")
    with pytest.raises(ConfigError, match="gives no reason"):
        load({"allowDataLoss": {"flowflare-service-database": " "}})


def test_other_namespaces_are_ignored() -> None:
    spec = load_stack(ACCOUNT | {"aws:region": "x"}, project="shop", stack="dev")
    assert (spec.project, spec.stack) == ("shop", "dev")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"accountId": "123"},
            "`flowflare:accountId`: is '123', which is not a Cloudflare account",
        ),
        ({"debug": "yes"}, "`flowflare:debug`: is 'yes', not true or false"),
        ({"engine": "embeded"}, "`flowflare:engine`: is 'embeded'"),
        ({"allowedOrigins": "x"}, "`flowflare:allowedOrigins`: is 'x', not a list or a mapping"),
        ({"allowedOrigins": {}}, "`flowflare:allowedOrigins`: is a mapping, not a list"),
        ({"allowedOrigins": [1]}, "`flowflare:allowedOrigins.0`: is 1, not text"),
        (
            {"compatibilityDate": "today"},
            "`flowflare:compatibilityDate`: is 'today', which is not a",
        ),
        ({"tenant": "Acme"}, "`flowflare:tenant`: is 'Acme', which cannot be part of a Worker's"),
        (
            {"environment": "pr-1"},
            "`flowflare:environment`: is 'pr-1', which is not an environment's",
        ),
        ({"clients": []}, "`flowflare:clients`: is a list, not a mapping"),
        ({"clients": {"orders": {}}}, "`flowflare:clients.orders.source`: is missing"),
        ({"clients": {"db": {"source": "x"}}}, "`flowflare:clients.db`: `db` is reserved for the"),
        (
            {"names": {"service": "A"}},
            "`flowflare:names.service`: is 'A', which is not a valid name",
        ),
        ({"names": {"clients": {"x": "y"}}}, "`flowflare:names.clients.x`: there is no such clie"),
    ],
)
def test_a_mistake_is_reported_with_its_key(values: dict[str, object], message: str) -> None:
    [problem] = problems(values)
    assert problem.startswith(message)


@pytest.mark.parametrize("source", ["/etc/passwd", "~/x.js", "C:/x.js", ""])
def test_a_source_outside_of_the_project_is_refused(source: str) -> None:
    [problem] = problems({"clients": {"a": {"source": source}}})
    assert "which is not a path inside the project" in problem


def test_a_stack_whose_name_is_not_an_environment_must_set_one() -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, stack="pr-12")
    [problem] = caught.value.problems
    assert "the stack's name 'pr-12' cannot be used" in problem.message
    assert problem.remedy == "Add `flowflare:environment: pr12`."
    assert load({"environment": "pr12"}, stack="pr-12").environment_name == "pr12"


def test_names_that_are_too_long_are_refused_before_anything_is_created() -> None:
    [problem] = problems({"clients": {"c" * 40: {"source": "a.js"}}, "tenant": "tenant"})
    assert "has 62 characters" in problem
    fitting = {"clients": {"c" * 40: "short"}}
    assert (
        load({"clients": {"c" * 40: {"source": "a.js"}}, "tenant": "tenant", "names": fitting})
        .clients[0]
        .script_name
        == "short"
    )


def test_workflows_of_two_clients_must_not_share_a_name() -> None:
    workflow = {"className": "A"}
    clients = {
        "one": {"source": "a.js", "workflows": {"send-mail": workflow}},
        "two": {"source": "b.js", "workflows": {"send-mail": workflow, "db": workflow}},
    }
    assert problems({"clients": clients}) == [
        "`flowflare:clients.two.workflows.send-mail`: client `one` already has a Workflow "
        "`send-mail`",
        "`flowflare:clients.two.workflows.db`: its binding would be DB, which the service uses",
    ]


def test_two_scripts_must_not_share_a_name() -> None:
    names = {"clients": {"orders": "prod-flowflare-service"}}
    [problem] = problems({"clients": ORDERS, "names": names})
    assert "prod-flowflare-service, is also the name of `service`" in problem


def test_a_variable_must_not_have_the_name_of_a_binding() -> None:
    client = ORDERS["orders"] | {
        "variables": {"WORKFLOW_API_KEY": "x", "ORDER_PROCESSING": "y", "1st": "z"}
    }
    assert sorted(problems({"clients": {"orders": client}})) == [
        "`flowflare:clients.orders.variables.1st`: `1st` is not a valid name for a variable",
        "`flowflare:clients.orders.variables.ORDER_PROCESSING`: `ORDER_PROCESSING` is the binding "
        "of the Workflow `order-processing`",
        "`flowflare:clients.orders.variables.WORKFLOW_API_KEY`: `WORKFLOW_API_KEY` is Flowflare's "
        "own binding",
    ]


def test_for_a_missing_source_a_similar_file_is_suggested(tmp_path: Path) -> None:
    source = tmp_path / "worker_src/orders/src/index.js"
    source.parent.mkdir(parents=True)
    source.write_text("export default {}")
    assert load({"clients": ORDERS}, root=tmp_path).clients
    wrong = {"orders": {"source": "worker_src/order/src/index.js"}}
    with pytest.raises(ConfigError) as caught:
        load({"clients": wrong}, root=tmp_path)
    [problem] = caught.value.problems
    assert problem.message.endswith("there is no file 'worker_src/order/src/index.js'")
    assert problem.remedy == "Did you mean `worker_src/orders/src/index.js`?"
