"""An `up` that lacks something outside of the stack makes nothing, and names all of it at once."""

import json

import pytest

from flowflare.errors import ConfigError, UpdateFailed
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import open_manual_account

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

BINDINGS = {
    "MAIL": {"type": "service", "service": "mailer"},
    "JOBS": {"type": "queue", "queue_name": "jobs-of-others"},
    "FILES": {"type": "r2_bucket", "bucket_name": "files-of-others"},
    "CACHE": {"type": "kv_namespace", "namespace_id": "0" * 32},
    "LOCKS": {"type": "durable_object_namespace", "class_name": "Lock", "script_name": "locks"},
    "ROWS": {"type": "d1", "id": "00000000-0000-4000-8000-000000000000"},
    "FLAGS": {"type": "durable_object_namespace", "class_name": "Flag", "script_name": "flags"},
    "OWN": {"queue": {"name": "our-own-jobs"}},
    "AGAIN": {"type": "queue", "queue_name": "our-own-jobs"},
}
RECORD = 'pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {"name": "www"})'


def test_bindings_to_missing_resources_stop_an_up_before_it_begins(
    project: Project, cloudflare: Cloudflare
) -> None:
    # The script exists, and lacks the class.
    with open_manual_account(project, cloudflare) as manual:
        manual.upload("flags", "export default { fetch() {} }")
    project.configure(
        f"flowflare:clientOverrides: {json.dumps({'orders': {'bindings': BINDINGS}})}"
    )
    with pytest.raises(ConfigError) as refused:
        project.open_stack().up()
    missing = "the account has no {} {!r}, and this stack does not make it"
    assert [problem.message.partition(": ")[2] for problem in refused.value.problems] == [
        missing.format("KV namespace", "0" * 32),
        missing.format("R2 bucket", "files-of-others"),
        missing.format("Durable Object class", "flags.Flag"),
        missing.format("queue", "jobs-of-others"),
        missing.format("Worker", "locks"),
        missing.format("Worker", "mailer"),
        missing.format("D1 database", "00000000-0000-4000-8000-000000000000"),
    ]
    assert project.account.list_databases() == []
    said = flowflare("preview", "--cwd", str(project.root))
    assert said.code == 1
    assert missing.format("Worker", "mailer") in said.out

    account = project.account
    account.post("/queues", {"queue_name": "jobs-of-others"})
    account.post("/r2/buckets", {"name": "files-of-others"})
    with pytest.raises(ConfigError, match="5 problems"):
        project.open_stack().up()


def test_a_type_that_the_engine_cannot_make_stops_an_up_before_it_begins(project: Project) -> None:
    project.edit(
        "infra/__main__.py", 'pulumi.export("service_url"', f'{RECORD}\npulumi.export("service_url"'
    )
    with pytest.raises(UpdateFailed, match="cannot create a cloudflare:index/dnsRecord:DnsRecord"):
        project.open_stack().up()
    assert project.account.list_databases() == []
    assert project.account.list_scripts() == []


def test_sql_that_d1_refuses_stops_an_up_before_it_begins(project: Project) -> None:
    sql = "CREATE VIEW late AS SELECT * FROM nowhere;\nINSERT INTO nowhere VALUES (1);\n"
    (project.root / "shop").mkdir()
    (project.root / "shop/0001_nowhere.sql").write_text(sql)
    databases = {"SHOP": {"name": "shop", "migrations": "shop"}}
    project.configure(
        f"flowflare:clientOverrides: {json.dumps({'orders': {'databases': databases}})}"
    )
    with pytest.raises(UpdateFailed, match=r"0001_nowhere\.sql:2: does-not-apply") as refused:
        project.open_stack().up()
    assert "Nothing was changed" in str(refused.value.remedy)
    assert project.account.list_databases() == []
