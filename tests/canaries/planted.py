"""A project whose secrets are all canaries: states of the real plugin, configuration, sources."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flowflare.config.files import read_project_file
from flowflare.errors import SecretError
from flowflare.fleet.tenants.files import stack_files
from flowflare.fleet.tenants.files import write as write_files
from flowflare.fleet.tenants.read import read_fleet
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.wire import SIGNATURE
from tests.canaries.planting import KEPT_OF_A_BINDING, find_secrets, plant_everywhere
from tests.canaries.search import Canaries, files_below
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.engine.recorded import ACCOUNT, BASE_URL, read_applied_config, read_recorded

#: A stack of the Pulumi CLI; the same stack on the embedded engine, with an interrupted update and
#: without; and one stack of a fleet for each engine.
CLI, EMBEDDED, CALM, TENANTS = "rec", "emb", "calm", ("acme-prod", "beta-live")
STACKS = (CLI, EMBEDDED, CALM)
# Files that may have ciphertexts. The folder of states also has the records of ephemeral
# environments, from which any machine can write their stacks' files again.
_SEALED_IN = ("Pulumi.", "tenants.yaml", ".flowflare/state/")
_OTHERS = ("node_modules", ".flowflare/emulator", ".flowflare/cache", ".git")


@dataclass
class Planted:
    """A project full of canaries.

    Attributes:
        root: its folder.
        environ: the environment of its commands, which has canaries too.
        canaries: the values that must not be seen.
        vault: decrypts and encrypts its secrets.
    """

    root: Path
    project: Project
    environ: dict[str, str]
    canaries: Canaries
    vault: Vault
    _known: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _taken: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _opened: set[str] = field(default_factory=set)

    def state_file(self, stack: str) -> Path:
        """Return the path of a stack's state."""
        return self.root / f".flowflare/state/.pulumi/stacks/flowflare/{stack}.json"

    def stack_file(self, stack: str) -> Path:
        """Return the path of a stack's configuration."""
        return self.root / f"Pulumi.{stack}.yaml"

    def write_state(self, stack: str, exported: Mapping[str, Any]) -> None:
        """Write a state as that of a stack."""
        latest = json.dumps(exported["deployment"]).replace(":rec::", f":{stack}::")
        named = {"stack": f"organization/flowflare/{stack}", "latest": json.loads(latest)}
        file = self.state_file(stack)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.adapt(json.dumps({"version": 3, "checkpoint": named})))

    def write_config(self, stack: str, **changes: Any) -> None:
        """Write a stack's file; a value of None removes a key."""
        document = self.stack_document()
        config = document["config"] | {
            key.replace("__", ":"): changed for key, changed in changes.items()
        }
        document["config"] = {key: value for key, value in config.items() if value is not None}
        self.stack_file(stack).write_text(self.adapt(json.dumps(document, indent=2)))

    def stack_document(self) -> dict[str, Any]:
        """Return the content of a stack's file."""
        config = read_applied_config(read_recorded("1-first-up"))
        config |= {
            "flowflare:protect": False,
            "flowflare:clientOverrides": self.overrides,
            "cloudflare:apiToken": self.seal(self.canaries.values["token"]),
            "shop:whole": self.seal(self.canaries.plant("a key of another namespace")),
        }
        return {"encryptionsalt": self.vault.salt, "config": config}

    @property
    def overrides(self) -> dict[str, Any]:
        """The client `orders` with a secret of each source."""
        sources = {
            "SHOP_TOKEN": {"environment": "SHOP_TOKEN"},
            "CONFIGURED": self.seal(self.canaries.plant("a configured secret")),
            "FILE": {"file": self.environ["SHOP_FILE"]},
            "GENERATED": {"generated": {}},
        }
        return {"orders": {"variables": {"MODE": "live"}, "secrets": sources}}

    def seal(self, text: str) -> dict[str, str]:
        """Encrypt a value like Pulumi in a stack's file."""
        ciphertext = self.vault.seal_text(text)
        self.canaries.hide_sealed("the configuration", ciphertext)
        return {"secure": ciphertext}

    def take_states(self) -> None:
        """Treat the secrets that commands wrote into states, such as API keys, as canaries too."""
        for file in self.state_file(CLI).parent.glob("*.json"):
            stamp = _stamp(file)
            if self._taken.get(file) != stamp:
                self._taken[file] = stamp
                with suppress(ValueError):  # a truncated state
                    for secret in find_secrets(json.loads(file.read_text())):
                        self._take(secret, file.stem)

    def note_files(self) -> None:
        """Note the present files as written by the test, not by a command."""
        self._known |= {file: _stamp(file) for file in files_below(self.root, _OTHERS)}

    def _take(self, secret: dict[str, Any], stack: str) -> None:
        ciphertext = secret.get("ciphertext")
        if not isinstance(ciphertext, str) or ciphertext in self._opened:
            return
        self._opened.add(ciphertext)
        self.canaries.hide_sealed(f"the state of {stack}", ciphertext)
        with suppress(SecretError, ValueError, KeyError, TypeError):  # a damaged secret
            for text in _texts(json.loads(self.vault.open_text(ciphertext))):
                # The beginning of an API key, `ff_<stack>_<key id>_`, is public.
                hidden = text.split("_", 3)[-1] if text.startswith("ff_") else text
                self.canaries.hide(f"a secret of {stack}", hidden)

    def look_at_written(self, by: str) -> None:
        """Search all files that a command has written since the last search."""
        for file in files_below(self.root, _OTHERS):
            stamp = _stamp(file)
            if self._known.get(file) != stamp:
                self._known[file] = stamp
                name = str(file.relative_to(self.root))
                sealed = name.startswith(_SEALED_IN)
                self.canaries.look(f"{name}, written by {by}", file.read_bytes(), sealed=sealed)
                self.canaries.look(f"the name of a file of {by}", name)

    def adapt(self, text: str) -> str:
        """Replace account and address in a recorded text by those of the test's Cloudflare."""
        url = self.environ["CLOUDFLARE_BASE_URL"]
        return text.replace(ACCOUNT, self.project.account.identity).replace(BASE_URL, url)


def _stamp(file: Path) -> tuple[int, int]:
    facts = file.stat()
    return facts.st_mtime_ns, facts.st_size


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a decrypted secret that are secret themselves."""
    if isinstance(value, str):
        # The provider's record has the configuration, of which only some leaves are secret.
        yield from () if value.startswith("{") else (value,)
    elif isinstance(value, dict) and SIGNATURE in value:
        yield from _texts(json.loads(value["ciphertext"]))
    elif isinstance(value, dict) and _is_plain_binding(value):
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from () if key in KEPT_OF_A_BINDING else _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _is_plain_binding(value: Mapping[str, Any]) -> bool:
    """Whether it is an item of a secret list of bindings that is not secret itself."""
    return {"name", "type"} <= value.keys() and value["type"] != "secret_text"


def make_planted(folder: Path, cloudflare: Cloudflare) -> Planted:
    """Make the project: two stacks, a fleet and a repository, with canaries everywhere.

    Args:
        folder: the folder in which to make it.
        cloudflare: its API.
    """
    canaries = Canaries()
    phrase, token = canaries.plant("passphrase"), cloudflare.create_token()
    canaries.hide("token", token)
    secret_file = folder / "elsewhere" / "token"
    secret_file.parent.mkdir()
    secret_file.write_text(canaries.plant("a secret in a file"))
    project = make_project(folder / "shop", cloudflare)
    root = project.root
    (root / "Pulumi.local.yaml").unlink()
    environ = {
        "PULUMI_CONFIG_PASSPHRASE": phrase,
        "PULUMI_BACKEND_URL": (root / ".flowflare/state").as_uri(),
        "PULUMI_HOME": str(folder / "pulumi"),
        "HOME": str(folder),
        "SHOP_TOKEN": canaries.plant("a secret in the environment"),
        "SHOP_FILE": str(secret_file),
        "FLOWFLARE_API_KEY": canaries.plant("the API key of an install by hand")[:24],
        "PULUMI_ACCESS_TOKEN": canaries.plant("Pulumi's token"),
        "AWS_SECRET_ACCESS_KEY": canaries.plant("a key of AWS"),
        "GITHUB_TOKEN": canaries.plant("GitHub's token"),
        "CLOUDFLARE_BASE_URL": cloudflare.base_url,
    }
    vault = Vault(Passphrase(phrase, "the test"))
    made = Planted(root, project, environ, canaries, vault)
    exported = plant_everywhere(read_recorded("1-first-up"), canaries.plant, vault)
    (root / ".flowflare/state/.pulumi").mkdir(parents=True)
    (root / ".flowflare/state/.pulumi/meta.yaml").write_text("version: 1\n")
    for stack in (CLI, EMBEDDED):
        made.write_state(stack, exported)
    del exported["deployment"]["pending_operations"]
    for stack in (CALM, *TENANTS):
        made.write_state(stack, exported)
    _configure(made)
    _write_fleet(made)
    _commit_twice(made)
    made.look_at_written("the test")
    assert canaries.seen == []
    return made


def _write_fleet(made: Planted) -> None:
    """Write `tenants.yaml`, and the files of its stacks with a salt and ciphertexts."""
    document = made.stack_document()
    config = document["config"]
    sealed = {key: config.pop(key) for key in ("cloudflare:apiToken", "shop:whole")}
    overrides = config["flowflare:clientOverrides"]["orders"]
    del overrides["secrets"]["CONFIGURED"]
    embedded = {
        "engine": "embedded",
        "cloudflare:baseUrl": config.pop("cloudflare:baseUrl"),
    }
    written = {
        "defaults": {key.removeprefix("flowflare:"): value for key, value in config.items()},
        "environments": {"prod": {"waves": ["100%"], "config": embedded}, "live": {}},
        "tenants": {"acme": {"only": ["prod"]}, "beta": {"only": ["live"]}},
    }
    text = yaml.safe_dump(written, sort_keys=False)
    (made.root / "tenants.yaml").write_text(made.adapt(text))
    write_files(stack_files(read_fleet(read_project_file(made.root), {})), made.root)
    for stack in TENANTS:
        file = made.stack_file(stack)
        kept = yaml.safe_load(file.read_text())
        kept["config"] |= sealed
        kept["encryptionsalt"] = made.vault.salt
        file.write_text(yaml.safe_dump(kept))
    write_files(stack_files(read_fleet(read_project_file(made.root), {})), made.root)


def _commit_twice(made: Planted) -> None:
    """Commit the project, then a change of its secrets and of its code."""
    (made.root / ".gitignore").write_text(".flowflare\nnode_modules\n")
    _git(made, "init", "-q", "-b", "main")
    _git(made, "add", "-A")
    _git(made, "commit", "-q", "-m", "first")
    _configure(made, flowflare__debug=True)
    _git(made, "commit", "-q", "-a", "-m", "second")


def _configure(made: Planted, **changes: Any) -> None:
    made.write_config(CLI, **changes)
    for stack in (EMBEDDED, CALM):
        made.write_config(stack, flowflare__engine="embedded", **changes)


def _git(made: Planted, *words: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *words], cwd=made.root, check=True)
