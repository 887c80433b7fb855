"""How things are called in a Cloudflare account; the rule is a promise and never changes.

A physical name is `<tenant>-<environment>-flowflare-<what>`, without a tenant
`<environment>-flowflare-<what>`. The environment has no hyphen, so that two stacks cannot meet in
one name whatever their tenants are called.
"""

import re

#: Longest name: with more, the preview URLs of workers.dev do not fit a DNS label.
MAX_LENGTH = 54
SERVICE = "service"
DATABASE = "db"
#: What a client or a Workflow cannot be called, because the service's parts are.
RESERVED = frozenset({SERVICE, DATABASE})

WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ENVIRONMENT = re.compile(r"[a-z][a-z0-9]*")


def physical_name(tenant: str | None, environment_name: str, what: str) -> str:
    """The name in the account of one part of a stack.

    Args:
        tenant: whose stack it is, None where there is one tenant.
        environment_name: the environment, without a hyphen.
        what: `service`, `db`, a client's name or a Workflow's name.
    """
    parts = (tenant, environment_name, "flowflare", what)
    return "-".join(part for part in parts if part)


def binding_name(workflow: str) -> str:
    """The binding of a Workflow: its name in upper case, hyphens as underscores."""
    return re.sub(r"[^A-Za-z0-9]", "_", workflow).upper()


def hyphenated(binding: str) -> str:
    """A binding's name as a part of other names: lower case, hyphens for what is no letter."""
    return re.sub(r"[^a-z0-9]+", "-", binding.lower()).strip("-")


def database_part(client: str, binding: str) -> str:
    """What a client's own database is called in the account, after the environment."""
    return f"{client}-{hyphenated(binding)}"
