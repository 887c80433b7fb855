"""An `up` that lacks something outside of the stack makes nothing, and names all of it at once."""

import json

import pytest

from flowflare.errors import ConfigError, UpdateFailed
from tests.cli.command import flowflare
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

BINDINGS = {
    "MAIL": {"type": "service", "service": "mailer"},
    "JOBS": {"type": "queue", "queue_name": "jobs-of-others"},
    "FILES": {"type": "r2_bucket", "bucket_name": "files-of-others"},
    "CACHE": {"type": "kv_namespace", "namespace_id": "0" * 32},
    "LOCKS": {"type": "durable_object_namespace", "class_name": "Lock", "script_name": "locks"},
    "OWN": {"queue": {"name": "our-own-jobs"}},
    "AGAIN": {"type": "queue", "queue_name": "our-own-jobs"},
}
RECORD = 'pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {"name": "www"})'


def test_bindings_to_missing_resources_stop_an_up_before_it_begins(project: Project) -> None:
    project.configure(
        f"flowflare:clientOverrides: {json.dumps({'orders': {'bindings': BINDINGS}})}"
    )
    with pytest.raises(ConfigError) as refused:
        project.open_stack().up()
    missing = "the account has no {} {!r}, and this stack does not make it"
    assert [problem.message.partition(": ")[2] for problem in refused.value.problems] == [
        missing.format("KV namespace", "0" * 32),
        missing.format("R2 bucket", "files-of-others"),
        missing.format("queue", "jobs-of-others"),
        missing.format("Worker", "locks"),
        missing.format("Worker", "mailer"),
    ]
    assert project.account.list_databases() == []
    said = flowflare("preview", "--cwd", str(project.root))
    assert said.code == 1
    assert missing.format("Worker", "mailer") in said.out

    account = project.account
    account.post("/queues", {"queue_name": "jobs-of-others"})
    account.post("/r2/buckets", {"name": "files-of-others"})
    with pytest.raises(ConfigError, match="3 problems"):
        project.open_stack().up()


def test_a_type_that_the_engine_cannot_make_stops_an_up_before_it_begins(project: Project) -> None:
    project.edit(
        "infra/__main__.py", 'pulumi.export("service_url"', f'{RECORD}\npulumi.export("service_url"'
    )
    with pytest.raises(UpdateFailed, match="cannot create a cloudflare:index/dnsRecord:DnsRecord"):
        project.open_stack().up()
    assert project.account.list_databases() == []
    assert project.account.list_scripts() == []
