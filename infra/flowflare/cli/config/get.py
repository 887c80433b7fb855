"""`flowflare config get`: print a value of a stack's configuration."""

from flowflare.cli.config.ls import dump_value, format_value
from flowflare.cli.config.set import KeyArgument
from flowflare.cli.console import print_json, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.files import read_project
from flowflare.config.placing import parse_key, read_value
from flowflare.config.problems import nearest
from flowflare.errors import ConfigError, Problem


def get(
    key: KeyArgument,
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Print a value of a stack's configuration; secrets are masked.

    Examples:

      flowflare config get retentionDays -s prod

      flowflare config get clients.orders.source --json
    """
    project = read_project(choose_project_root(cwd), stack)
    keys = parse_key(key)
    if read_value(project, keys) is None:
        remedy = nearest(keys[0], project.values, "Keys")
        raise ConfigError([Problem(project.stack_file.name, f"`{key}` is not set", remedy)])
    row = dump_value(project, keys)
    if json:
        print_json(row)
    else:
        print_result(format_value(row["value"]))
