"""Write a program that shows its secrets in every possible way, for tests of the output filter."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowflare.state.passphrase import Passphrase, Vault
from tests.canaries.search import Canaries

#: Appended to the example's program. `RAISES` selects the secret of the error that ends it.
TALK = """
import base64, json, logging, os, subprocess, sys, threading, traceback
from urllib.parse import quote

config = pulumi.Config("talk")
given = [config.require("password"), config.require_object("login")["password"]]
given.append(os.environ["SHOP_TOKEN"])

def show(what, value):
    print("printed", what, value)
    print("in pieces ", end="")
    for letter in value:
        print(letter, end="", flush=True)
    print()
    print("to standard error", value, file=sys.stderr)
    sys.stdout.buffer.write(f"in bytes {value}\\n".encode())
    sys.stdout.flush()
    os.write(1, f"to a descriptor {value}\\n".encode())
    subprocess.run(["sh", "-c", 'echo "by a child $0"; echo "by a child $0" >&2', value])
    logging.getLogger("program").warning("logged %s", value)
    pulumi.log.info(f"reported as information {value}")
    pulumi.log.warn("reported as a warning " + json.dumps({"key": value}))
    pulumi.log.info("reported with a resource " + value, resource=stack.service)
    print("in a URL", f"https://shop.example/?key={quote(value, safe='')}")
    print("in base64", base64.b64encode(f"user:{value}".encode()).decode())
    print("repeated", repr(value), ascii(value))
    try:
        raise ValueError(f"caught {value}")
    except ValueError:
        traceback.print_exc()
    thread = threading.Thread(target=lambda: int(value))
    thread.start()
    thread.join()

for value in given:
    show("a given secret", value)

def take(key):
    show("a resource's output", key)
    if os.environ.get("RAISES") == "output":
        raise ValueError(f"raised with an output {key}")

stack.service.api_key.apply(take)
if os.environ.get("RAISES") == "configuration":
    raise ValueError(f"raised with a given secret {given[0]}")
"""

#: Appended as well; it stores secrets in plain text in the state.
#: Appended too; its state holds secrets in plain.
PLAIN = """
# Values that the program does not mark as secret, though they hold one.
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Page(ResourceProvider):
    def create(self, props):
        return CreateResult("page", props)

class PlainPage(Resource):
    def __init__(self, name, url):
        super().__init__(Page(), name, {"url": url})

url = pulumi.Output.unsecret(stack.service.api_key).apply(lambda key: f"https://shop.example/?key={key}")
PlainPage("plain", url)
PlainPage("plain-given", f"https://shop.example/?key={given[0]}")
pulumi.export("plain", url)
pulumi.export("plain_given", {given[0]: json.dumps(given)})
"""


def make_talkative(root: Path, *, plain: bool = False) -> None:
    """Make a project's program show its secrets.

    Args:
        root: the project's folder.
        plain: whether the program also has them in inputs and outputs that are not marked secret.
    """
    program = root / "infra/__main__.py"
    program.write_text(program.read_text() + TALK + (PLAIN if plain else ""))


def plant_configuration(canaries: Canaries, phrase: str) -> tuple[str, dict[str, Any]]:
    """Create secrets for the configuration of a talkative program.

    Returns:
        The stack's encryption salt, and the configuration.
    """
    vault = Vault(Passphrase(phrase, "the test"))

    def secure(what: str) -> Mapping[str, str]:
        return {"secure": vault.seal_text(canaries.plant(what))}

    client = {
        "source": "worker_src/orders/src/index.js",
        "workflows": {"order-processing": {"className": "OrderWorkflow"}},
        "secrets": {"SHOP_TOKEN": {"environment": "SHOP_TOKEN"}},
    }
    config = {
        "talk:password": secure("password"),
        "talk:login": {"user": "shop", "password": secure("login")},
        "flowflare:clients": {"orders": client},
    }
    return vault.salt, json.loads(json.dumps(config))
