"""`flowflare config set`: set a value in a stack's file."""

from typing import Annotated, Any

import typer
import yaml

from flowflare.cli.console import print_result, quote_program
from flowflare.cli.options import (
    DEFAULT_STACK,
    ProjectOption,
    StackOption,
    choose_project_root,
    make_stack_option,
)
from flowflare.config.files import API_TOKEN, read_project
from flowflare.config.placing import parse_key, read_value, write_value
from flowflare.config.values import is_secure
from flowflare.config.yaml_nodes import scalar
from flowflare.errors import SecretError
from flowflare.fleet.tenants.files import refuse_single
from flowflare.reading.json_text import JsonError, parse_json

KeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="A key, with the path inside its value: clientOverrides.orders.logpush. Without a "
        "namespace it is Flowflare's.",
        show_default=False,
    ),
]


def set_(
    key: KeyArgument,
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="A text, a number, true, false, or JSON for a list or a mapping. "
            "A number as text is quoted: '\"30\"'.",
            show_default=False,
        ),
    ],
    stack: StackOption = DEFAULT_STACK,
    cwd: ProjectOption = None,
) -> None:
    """Set a value in a stack's file, which is checked first; comments and order stay.

    Writes nothing if the configuration would be invalid. Put -- before a value that begins with a
    hyphen. For secrets: flowflare secrets set.

    Examples:

      flowflare config set retentionDays 90 -s prod

      flowflare config set clientOverrides.orders.variables.MODE fast -s prod

      flowflare config set allowedOrigins '["https://shop.example"]' -s prod
    """
    project = read_project(choose_project_root(cwd), stack)
    refuse_single(project)
    keys = parse_key(key)
    if keys == (API_TOKEN,) or is_secure(read_value(project, keys)):
        raise SecretError(
            f"{key} is a secret, and is not written in plain text",
            remedy=f"Run: flowflare secrets set {key}{make_stack_option(stack)}",
        )
    write_value(project, keys, parse_written(value))
    print_result(f"Set {key} in {project.stack_file.name}.")
    print_result(f"\nNext:  {quote_program()} preview{make_stack_option(stack)}")


def parse_written(text: str) -> Any:
    """Parse a value as YAML would in the file: JSON, a number, a boolean or a string.

    Raises:
        BadParameter: it begins like JSON, but is not valid JSON.
    """
    if text[:1] in ("{", "[", '"'):
        try:
            return parse_json(text)
        except JsonError as error:
            raise typer.BadParameter(f"VALUE is not JSON: {error}") from None
    found = scalar(yaml.ScalarNode("", text))
    # A number whose digits would change, such as 007, is a text; so is `null`.
    return found if isinstance(found, bool) or str(found) == text else text
