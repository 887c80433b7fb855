"""Terraform and the real provider apply configurations, then plan nothing, and destroy them."""

import secrets
from pathlib import Path

import pytest

from tests.emulator.emulated import Account
from tests.support.terraform import IS_INSTALLED, Terraform

pytestmark = [
    pytest.mark.workerd,
    pytest.mark.long,
    pytest.mark.skipif(not IS_INSTALLED, reason="there is no terraform, or no provider in build"),
]

MODULE = "application/javascript+module"
HELLO = 'export default { fetch: () => new Response(\\"hello\\") }'
FLOW = (
    'import { WorkflowEntrypoint } from \\"cloudflare:workers\\"; '
    "export class Flow extends WorkflowEntrypoint { async run() {} } "
    'export default { fetch: () => new Response(\\"flow\\") }'
)


def resource(kind: str, name: str, *lines: str, where: str = "account_id = var.account") -> str:
    body = "\n".join((f"  {where}", *lines))
    return f'resource "cloudflare_{kind}" "{name}" {{\n{body}\n}}\n'


def script(more: str = "", source: str = HELLO) -> str:
    body = f'  script_name = "w"\n  main_module = "worker.js"\n  content = "{source}"\n{more}'
    return resource("workers_script", "w", body)


def worker(more: str = "") -> str:
    return resource("worker", "w", f'  name = "w"\n{more}')


def version(source: str = "first", more: str = "") -> str:
    code = f'base64encode("export default {{ fetch: () => new Response(\\"{source}\\") }}")'
    module = f'name = "i.js", content_type = "{MODULE}", content_base64 = {code}'
    return resource(
        "worker_version",
        "v",
        "worker_id = cloudflare_worker.w.id",
        'main_module = "i.js"',
        'compatibility_date = "2026-11-01"',
        f"modules = [{{ {module} }}]",
        more,
    )


DEPLOYMENT = resource(
    "workers_deployment",
    "d",
    '  script_name = cloudflare_worker.w.name\n  strategy = "percentage"\n'
    "  versions = [{ percentage = 100, version_id = cloudflare_worker_version.v.id }]",
)
QUEUE = resource("queue", "q", '  queue_name = "q"')
KV = resource("workers_kv_namespace", "n", '  title = "one"')
BUCKET = resource("r2_bucket", "b", '  name = "abucket"')
CONSUMED = "export default { fetch() {}, async queue() {} }"
SUBDOMAIN = "  script_name = cloudflare_workers_script.w.script_name\n  enabled = true"
SECRET = '  bindings = [{ name = "S", type = "secret_text", text = "%s" }]'
DATE = '  compatibility_date = "2026-11-01"\n'
OF_SCRIPT = "cloudflare_workers_script.w.script_name"
DURABLE = (
    'import { DurableObject } from \\"cloudflare:workers\\"; '
    "export class C extends DurableObject {} export default { fetch() {} }"
)


def consumer(kind: str, more: str = "") -> str:
    body = f'  queue_id = cloudflare_queue.q.queue_id\n  type = "{kind}"\n{more}'
    return resource("queue_consumer", "c", body)


#: Configurations that are applied after each other.
CONFIGURATIONS: dict[str, list[str]] = {
    "d1": [
        resource("d1_database", "d", '  name = "d"\n  read_replication = { mode = "disabled" }'),
        resource("d1_database", "d", '  name = "d"\n  read_replication = { mode = "auto" }'),
    ],
    "script_without_a_date": [script()],
    "script": [script(DATE), script(DATE, HELLO.replace("hello", "changed"))],
    "script_with_a_secret": [script(DATE + SECRET % "a"), script(DATE + SECRET % "b")],
    "script_with_observability": [
        script(DATE + "  observability = { enabled = true, head_sampling_rate = 0.5 }"),
        script(DATE),
    ],
    "script_with_traces": [
        script(DATE + "  observability = { enabled = true, traces = { enabled = true } }")
    ],
    "script_with_a_class": [
        script(
            DATE + '  migrations = { new_tag = "v1", new_sqlite_classes = ["C"] }\n'
            '  bindings = [{ name = "C", type = "durable_object_namespace", class_name = "C" }]',
            DURABLE,
        )
    ],
    "script_with_settings": [
        script(
            DATE + "  logpush = true\n"
            '  compatibility_flags = ["nodejs_compat"]\n  limits = { cpu_ms = 50 }'
        )
    ],
    "subdomain": [
        script(DATE) + resource("workers_script_subdomain", "s", SUBDOMAIN),
        script(DATE)
        + resource("workers_script_subdomain", "s", SUBDOMAIN + "\n  previews_enabled = true"),
    ],
    "cron": [
        script(DATE)
        + resource(
            "workers_cron_trigger",
            "t",
            f'  script_name = {OF_SCRIPT}\n  schedules = [{{ cron = "{cron}" }}]',
        )
        for cron in ("*/5 * * * *", "0 1 * * *")
    ],
    "route": [
        script(DATE)
        + resource(
            "workers_route",
            "r",
            f'  pattern = "tf.example/{path}"\n  script = {OF_SCRIPT}',
            where="zone_id = var.zone",
        )
        for path in ("*", "a*")
    ],
    "custom_domain": [
        script(DATE)
        + resource(
            "workers_custom_domain",
            "d",
            f'  hostname = "shop.tf.example"\n  service = {OF_SCRIPT}\n  zone_id = var.zone',
        )
    ],
    "worker": [worker(), worker('  tags = ["a"]'), worker("  observability = { enabled = true }")],
    "worker_with_a_subdomain": [worker("  subdomain = { enabled = true }")],
    "worker_version": [worker() + version(), worker() + version("second")],
    "worker_version_with_a_binding": [
        worker() + version(more='  bindings = [{ name = "A", type = "plain_text", text = "a" }]')
    ],
    "deployment": [worker() + version() + DEPLOYMENT, worker() + version("second") + DEPLOYMENT],
    "workflow": [
        script(DATE, FLOW)
        + resource(
            "workflow",
            "f",
            'workflow_name = "flow"',
            f'class_name = "{name}"',
            f"script_name = {OF_SCRIPT}",
        )
        for name in ("Flow", "Later")
    ],
    "kv_namespace": [KV, KV.replace("one", "two")],
    "kv": [
        KV
        + resource(
            "workers_kv",
            "k",
            "namespace_id = cloudflare_workers_kv_namespace.n.id",
            'key_name = "k"',
            f'value = "{value}"',
        )
        for value in ("a", "b")
    ],
    "kv_with_metadata": [
        KV
        + resource(
            "workers_kv",
            "k",
            "namespace_id = cloudflare_workers_kv_namespace.n.id",
            'key_name = "k"',
            'value = "v"',
            "metadata = jsonencode({ m = 1 })",
        )
    ],
    "queue": [
        QUEUE,
        resource("queue", "q", '  queue_name = "q"\n  settings = { delivery_delay = 5 }'),
    ],
    "queue_consumer_of_http": [
        QUEUE + consumer("http_pull"),
        QUEUE + consumer("http_pull", "  settings = { batch_size = 5 }"),
    ],
    "queue_consumer_of_a_worker": [
        script(DATE, CONSUMED)
        + QUEUE
        + consumer("worker", f"  script_name = {OF_SCRIPT}\n  settings = {{ batch_size = {size} }}")
        for size in (5, 6)
    ],
    "r2": [
        BUCKET,
        resource("r2_bucket", "b", '  name = "abucket"\n  storage_class = "InfrequentAccess"'),
    ],
    "r2_lifecycle": [
        BUCKET
        + resource(
            "r2_bucket_lifecycle",
            "l",
            "bucket_name = cloudflare_r2_bucket.b.name",
            'rules = [{ id = "r", enabled = true, conditions = { prefix = "a/" },',
            'delete_objects_transition = { condition = { max_age = 86400, type = "Age" } } }]',
        )
    ],
    "r2_cors": [
        BUCKET
        + resource(
            "r2_bucket_cors",
            "c",
            "bucket_name = cloudflare_r2_bucket.b.name",
            'rules = [{ allowed = { methods = ["GET"], origins = ["https://a.example"] } }]',
        )
    ],
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_converges_and_is_destroyed(
    name: str, account: Account, tmp_path: Path
) -> None:
    zone = secrets.token_hex(16)
    hostname = f"z{zone[:8]}.example"
    account.control("PUT", f"/zones/{zone}", json={"name": hostname, "account": account.id})
    running = account.running
    terraform = Terraform(tmp_path, running.base_url, running.token, account.id, zone)
    for step in CONFIGURATIONS[name]:
        terraform.apply(step.replace("tf.example", hostname))
    terraform.destroy()
