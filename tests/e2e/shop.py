"""Create a shop with two clients: one has a Workflow, the other everything that stores data."""

import json
import shutil
from pathlib import Path

from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare

CONFIG = {
    "flowflare:clients": {
        "value": {
            "orders": {
                "source": "worker_src/orders/src/index.js",
                "workflows": {"order-processing": {"className": "OrderWorkflow"}},
            },
            "mails": {
                "source": "worker_src/mails/src/index.js",
                "variables": {"SENDER": "shop@example.com", "DEBUG": "on"},
                "secrets": {"SMTP_PASSWORD": {"file": "smtp-password"}},
                "databases": {"ARCHIVE": {"migrations": "worker_src/mails/migrations"}},
                "durableObjects": {"OUTBOX": {"className": "Outbox"}},
                "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Outbox"]}],
            },
        }
    }
}
MAILS = """\
import { DurableObject } from "cloudflare:workers";

export class Outbox extends DurableObject {
  waiting() {
    return 0;
  }
}

export default { fetch: () => new Response("no mail") };
"""
ARCHIVE = "CREATE TABLE mail (id INTEGER PRIMARY KEY, text TEXT);\n"


def make_shop(root: Path, cloudflare: Cloudflare) -> Project:
    """Create the shop, protected, with its own account."""
    project = make_project(root, cloudflare)
    write_clients(project, CONFIG)
    project.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    write(project, "worker_src/mails/src/index.js", MAILS)
    write(project, "worker_src/mails/migrations/0001_archive.sql", ARCHIVE)
    write(project, "smtp-password", "canary-of-the-first-password\n")
    return project


def copy_project(project: Project, root: Path) -> Project:
    """Copy a project and its state to another folder."""
    shutil.copytree(project.root, root, symlinks=True)
    return Project(root, project.account)


def write(project: Project, path: str, text: str) -> None:
    """Write a file of the project."""
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_clients(project: Project, config: object) -> None:
    """Write these keys to the project's file, as JSON, which is valid YAML."""
    settings = {"name": "flowflare", "runtime": "python", "main": "infra", "config": config}
    write(project, "Pulumi.yaml", json.dumps(settings, indent=2) + "\n")
