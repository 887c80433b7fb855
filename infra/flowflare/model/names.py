"""Make the names in a Cloudflare account. The rule is a promise and never changes.

A physical name is `<tenant>-<environment>-flowflare-<what>`, or `<environment>-flowflare-<what>`
without a tenant. The environment does not contain a hyphen, so that two stacks cannot have the same
name, whatever their tenants are named.
"""

import re

#: The longest name: the preview URLs of longer names would not fit a DNS label.
MAX_LENGTH = 54
SERVICE = "service"
DATABASE = "db"
#: Names that clients and Workflows cannot have, because parts of the service have them.
RESERVED = frozenset({SERVICE, DATABASE})

WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ENVIRONMENT = re.compile(r"[a-z][a-z0-9]*")


def make_physical_name(tenant: str | None, environment_name: str, what: str) -> str:
    """Return the name in the account of one part of a stack.

    Args:
        tenant: the stack's tenant; None without tenants.
        environment_name: the environment, without a hyphen.
        what: `service`, `db`, a client's name or a Workflow's name.
    """
    parts = (tenant, environment_name, "flowflare", what)
    return "-".join(part for part in parts if part)


def make_binding_name(workflow: str) -> str:
    """Return a Workflow's binding: its name in upper case, with underscores for hyphens."""
    return re.sub(r"[^A-Za-z0-9]", "_", workflow).upper()


def hyphenate(binding: str) -> str:
    """Convert a binding's name for use in other names: lower case, hyphens for other characters."""
    return re.sub(r"[^a-z0-9]+", "-", binding.lower()).strip("-")


def make_database_part(client: str, binding: str) -> str:
    """Return the part of a client database's name that follows the environment."""
    return f"{client}-{hyphenate(binding)}"
