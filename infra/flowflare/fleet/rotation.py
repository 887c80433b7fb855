"""Rotate the API keys of all tenants of an environment: `tenants.yaml` records the progress.

The steps are those of a single stack (`rollout.rotation`). Each is two keys of the environment's
`config`, the stacks' files and one `fleet up`, so a killed rotation resumes from the files.
"""

from collections.abc import Iterable, Iterator
from shlex import quote
from typing import Any, Final

from flowflare.config.edit import set_values
from flowflare.config.problems import mapping
from flowflare.config.yaml_nodes import YamlText
from flowflare.engine.contract import read_state
from flowflare.errors import FleetError, RolloutError
from flowflare.fleet.session import FleetSession
from flowflare.fleet.tenants.files import StackFile, stack_files, write
from flowflare.fleet.tenants.layers import full_key
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.source import FILE, FleetSource, read_source
from flowflare.rollout.rotate import api_keys, configured_keys
from flowflare.rollout.rotation import ACCEPTED_KEY, IN_USE_KEY, Keys, RotationStep, steps

_KEYS: Final = (ACCEPTED_KEY, IN_USE_KEY)
_CONFIG: Final = "config"


def plan_steps(session: FleetSession, *, finish: bool) -> tuple[RotationStep, ...]:
    """Compute the next steps of an environment's rotation.

    Args:
        session: the environment, with all its tenants.
        finish: whether to drop the old key instead of adding a new one.

    Raises:
        FleetError: the tenants have different keys, no tenant is deployed, or the old key cannot
            be dropped yet.
    """
    environment = session.environment.name
    standing = {session.stack(tenant) for tenant in session.standing}
    source = read_source(session.root, session.environ, [])
    _refuse_own_keys(_list_owners(source, environment) if source else ())
    files = [file for file in stack_files(session.fleet, environment) if file.stack in standing]
    keys = {file.stack: _read_keys(session, file) for file in files}
    if len(set(keys.values())) > 1:
        listed = "; ".join(f"{stack}: {found}" for stack, found in list(keys.items())[:5])
        raise FleetError(
            f"the tenants of {environment} have different API keys: {listed}",
            remedy=f"Write apiKeys and apiKeyInUse in {FILE}: environments.{environment}.config",
        )
    deployed = [found for stack in keys if (found := _list_deployed(session, stack))]
    if not deployed:
        raise FleetError(
            f"no tenant of {environment} has an API key yet",
            remedy=f"Deploy them: flowflare fleet up -e {quote(environment)}",
        )
    try:
        # A generation counts as deployed if every tenant has its key, and as removed if none has.
        everywhere, somewhere = frozenset.intersection(*deployed), frozenset.union(*deployed)
        return steps(next(iter(keys.values())), everywhere, finish=finish, in_some=somewhere)
    except RolloutError as error:
        command = f"flowflare fleet secrets rotate -e {quote(environment)}"
        remedy = (error.remedy or "").replace("flowflare secrets rotate", command)
        raise FleetError(error.message, remedy=remedy) from None


def write_keys(session: FleetSession, keys: Keys) -> None:
    """Write keys into `tenants.yaml`, and the stacks' files from it."""
    environment = session.environment.name
    source = read_source(session.root, session.environ, [])
    written = mapping(_inside(source.written if source else {}, "environments", environment))
    present = {full_key(key): key for key in mapping(written.get(_CONFIG))}
    short = {ACCEPTED_KEY: "apiKeys", IN_USE_KEY: "apiKeyInUse"}
    values: dict[tuple[str, ...], Any] = {
        ("environments", environment, _CONFIG, present.get(key, short[key])): value
        for key, value in keys.configuration.items()
    }
    set_values(session.root / FILE, values, below=())
    fleet = read_fleet(session.fleet.project, session.environ)
    write(stack_files(fleet, environment), session.root)


def is_begun(session: FleetSession, step: RotationStep) -> bool:
    """Return whether `tenants.yaml` has the keys of a step."""
    files = stack_files(session.fleet, session.environment.name)
    return any(_read_keys(session, file) == step.keys for file in files if file.text)


def _read_keys(session: FleetSession, file: StackFile) -> Keys:
    text = YamlText(file.path.name, file.text)
    return configured_keys(session.fleet.project.parse_stack(file.stack, text))


def _list_deployed(session: FleetSession, stack: str) -> frozenset[int]:
    environ = session.passphrases.sealed_environ_of(stack)
    project = session.fleet.project.read_stack(stack)
    return frozenset(api_keys(read_state(project, environ, opened=False)))


def _list_owners(source: FleetSource, environment: str) -> Iterator[str]:
    """List the tenants that set their own keys, which the environment's keys do not change."""
    for name, tenant in mapping(source.written.get("tenants")).items():
        own = _inside(tenant, "environments", environment)
        for layer in (mapping(tenant).get(_CONFIG), mapping(own).get(_CONFIG)):
            if any(full_key(key) in _KEYS for key in mapping(layer)):
                yield name


def _refuse_own_keys(owners: Iterable[str]) -> None:
    names = sorted(set(owners))
    if names:
        raise FleetError(
            f"{FILE}: {', '.join(names)}: has API keys of its own, so the keys of its environment "
            "do not change it",
            remedy="Move apiKeys and apiKeyInUse to the environment's config.",
        )


def _inside(tree: Any, *keys: str) -> Any:
    for key in keys:
        tree = mapping(tree).get(key)
    return tree
