"""Read, merge and check a project's fleet, and report all problems at once."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from flowflare.config.files import ProjectFile
from flowflare.config.problems import Path as Position
from flowflare.config.problems import Places, from_validation, nearest
from flowflare.errors import ConfigError, Problem
from flowflare.fleet.tenants.checks import StackInputs, check_stacks
from flowflare.fleet.tenants.layers import FleetLayers, merge_layers, read_layers
from flowflare.fleet.tenants.model import Environment, Fleet, Tenant, stack_of
from flowflare.fleet.tenants.schema import TenantsFile
from flowflare.fleet.tenants.source import FILE, FleetSource, read_source

_TENANT: Final = "flowflare:tenant"
_ENVIRONMENT: Final = "flowflare:environment"
_SUSPENDED: Final = "flowflare:suspended"


def read_fleet(project: ProjectFile, environ: Mapping[str, str], *, check: bool = True) -> Fleet:
    """Read and check a project's fleet, without calling Cloudflare.

    Args:
        project: the project, with `tenants.yaml` beside its `Pulumi.yaml`.
        environ: the environment variables for a command that lists the tenants.
        check: whether to check the stacks' configurations, collisions and limits, too.

    Raises:
        ConfigError: the fleet has problems; the error lists all of them with file and line.
    """
    problems: list[Problem] = []
    source = read_source(project.root, environ, problems)
    file = _validate(source, problems) if source else None
    if source is None or file is None:
        raise ConfigError(problems)
    problems += _check_environments(file, source)
    layers = read_layers(file, source, problems)
    tenants, inputs = [], []
    for name in sorted(file.tenants):
        tenant, own = _make_tenant(name, file, layers, source)
        tenants.append(tenant)
        inputs += own
    fleet = Fleet(
        file=FILE,
        project=project,
        environments=tuple(
            Environment(
                name=name,
                waves=tuple(environment.waves),
                health=environment.health,
                passphrase=environment.passphrase,
            )
            for name, environment in sorted(file.environments.items())
        ),
        tenants=tuple(tenants),
        limits=file.limits,
        places={name: source.find(("tenants", name)) for name in file.tenants},
    )
    if check:
        problems += check_stacks(inputs, fleet.limits, project, source)
    if problems:
        raise ConfigError(sorted(dict.fromkeys(problems), key=_reading_order))
    return fleet


class _FilePlaces(Places):
    """Find positions in `tenants.yaml`, whose keys have no namespace."""

    def __init__(self, source: FleetSource) -> None:
        super().__init__(None, "")
        self._source = source

    def of(self, path: Position) -> str:
        return self._source.of(path)


def _validate(source: FleetSource, problems: list[Problem]) -> TenantsFile | None:
    try:
        return TenantsFile.model_validate(source.written)
    except ValidationError as error:
        places = _FilePlaces(source)
        problems += from_validation(
            error.errors(), TenantsFile, lambda path: path, places, shown=_join
        )
        return None


def _join(position: Position) -> str:
    return ".".join(map(str, position))


def _check_environments(file: TenantsFile, source: FleetSource) -> Iterator[Problem]:
    """Find environments that a tenant names, but that do not exist or do not include it."""
    for name, tenant in file.tenants.items():
        named: list[Position] = [
            ("tenants", name, "only", index) for index in range(len(tenant.only or ()))
        ]
        for position, environment in zip(named, tenant.only or (), strict=True):
            if environment not in file.environments:
                yield _report_unknown(position, environment, file, source)
        for environment in tenant.environments:
            position = ("tenants", name, "environments", environment)
            if environment not in file.environments:
                yield _report_unknown(position, environment, file, source)
            elif tenant.only is not None and environment not in tenant.only:
                message = f"`{_join(position)}`: the tenant is not in this environment"
                remedy = f"Add it to `tenants.{name}.only`, or remove these lines."
                yield Problem(source.of(position), message, remedy)


def _report_unknown(
    position: Position, name: str, file: TenantsFile, source: FleetSource
) -> Problem:
    message = f"`{_join(position)}`: there is no environment `{name}`"
    remedy = nearest(name, file.environments, "Environments")
    return Problem(source.of(position), message, remedy)


def _make_tenant(
    name: str, file: TenantsFile, layers: FleetLayers, source: FleetSource
) -> tuple[Tenant, list[StackInputs]]:
    written = file.tenants[name]
    config: dict[str, dict[str, Any]] = {}
    inputs = []
    for environment, own in layers.tenant(name):
        values: dict[str, Any] = {_TENANT: name, _ENVIRONMENT: environment, **merge_layers(own)}
        if written.status == "suspended":
            values[_SUSPENDED] = True
        config[environment] = values
        stack = stack_of(name, environment)
        inputs.append(StackInputs(stack, values, own, source.of(("tenants", name))))
    tenant = Tenant(
        name=name,
        status=written.status,
        tags=tuple(sorted(set(written.tags))),
        environments=tuple(config),
        config=config,
        passphrase=written.passphrase,
    )
    return tenant, inputs


def _reading_order(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.place.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (problem.place, 0)
