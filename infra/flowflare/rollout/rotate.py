"""Rotate a key: write the configuration, run `up`, and check the health of the stack.

Only the configuration and the stack's state record the progress. Run the command again to resume a
run that was killed at any point.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Any, Protocol

from flowflare.config.edit import set_values
from flowflare.config.files import Project
from flowflare.config.load import load_stack
from flowflare.config.yaml_nodes import YamlText
from flowflare.errors import FlowflareError, RolloutError
from flowflare.rollout import health
from flowflare.rollout.rotation import Keys, RotationStep, generation_of, steps
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import OnEvent, Plan, Update
from flowflare.values.properties import reveal

_API_KEY = "dynamic/flowflare:ApiKey"


class Runner(Protocol):
    """The operations of a stack, on either engine, that a rotation needs."""

    def preview(self, on_event: OnEvent | None = None) -> Plan:
        """Plan what `up` would do."""

    def up(self, on_event: OnEvent | None = None) -> Update:
        """Deploy what the program declares."""

    def read(self) -> Deployment:
        """Read the state. Its secrets are decrypted on access."""

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs."""


@dataclass
class Rotation:
    """One rotation of one stack.

    Attributes:
        project: the project with the stack's configuration, as the last step wrote its files.
        open_stack: opens the stack with these files.
        patience: how long a health check waits.
        judge: checks the policies of a step, and raises to stop it before anything is deployed.
            It receives the project with the step's keys, and a function that plans the step.
    """

    project: Project
    open_stack: Callable[[Project], Runner]
    patience: health.Patience = field(default_factory=health.Patience)
    judge: Callable[[Project, Callable[[], Plan]], None] | None = None

    def keys(self) -> Keys:
        """Read the generations from the configuration.

        Raises:
            ConfigError: the configuration is wrong.
        """
        return configured_keys(self.project)

    def steps(self, *, finish: bool) -> tuple[RotationStep, ...]:
        """Compute the next steps; see `rotation.steps`.

        Raises:
            RolloutError: no step is possible.
        """
        deployed = api_keys(self.open_stack(self.project).read())
        return steps(self.keys(), deployed, finish=finish)

    def require_nothing_else(self) -> None:
        """Refuse to begin while other changes are not deployed or the plan has failures.

        Raises:
            RolloutError: `up` would change something.
        """
        stack, plan = self.project.stack, self.open_stack(self.project).preview()
        if plan.changed or plan.failures:
            raise RolloutError(
                f"stack {stack} has changes that are not deployed; a rotation would carry "
                "them along",
                remedy=f"See them: flowflare preview -s {quote(stack)}. Deploy them first: "
                f"flowflare up -s {quote(stack)}",
            )

    def perform(self, step: RotationStep, on_event: OnEvent | None = None) -> tuple[str, ...]:
        """Perform a step: write the configuration, run `up`, and check the health.

        Args:
            on_event: receives the events of `up`.

        Returns:
            What the health check checked, as sentences.

        Raises:
            FlowflareError: `up` failed, and what it created is in state. Or a policy refused the
                step, and the configuration is unchanged.
            RolloutError: the health check failed.
        """
        before = api_keys(self.open_stack(self.project).read())
        runner = self._configure(step)
        try:
            runner.up(on_event)
            outputs = runner.outputs()
            keys = {number: key() for number, key in api_keys(runner.read()).items()}
            accepted = step.keys.accepted
            dropped = {number: key() for number, key in before.items() if number not in accepted}
            return health.check(
                health.StackEndpoints(
                    service_url=outputs.get("service_url"),
                    client_urls=outputs.get("client_urls") or {},
                    keys=keys,
                    refused=dropped,
                ),
                self.patience,
            )
        except FlowflareError as error:
            raise _explain_failure(error, step, self.project) from error

    def _configure(self, step: RotationStep) -> Runner:
        """Write a step's keys into the configuration, and undo that if a policy refuses them."""
        keys = self.keys()
        self._write(step.keys)
        runner = self.open_stack(self.project)
        if self.judge is not None:
            try:
                self.judge(self.project, runner.preview)
            except FlowflareError:
                self._write(keys)
                raise
        return runner

    def _write(self, keys: Keys) -> None:
        file, shared = self.project.stack_file, self.project.shared
        text = set_values(file, {(key,): value for key, value in keys.configuration.items()})
        self.project = shared.parse_stack(self.project.stack, YamlText(file.name, text))


def configured_keys(project: Project) -> Keys:
    """Read the generations from a project's configuration.

    Raises:
        ConfigError: the configuration is wrong.
    """
    texts = {key: value.text for key, value in project.values.items()}
    spec = load_stack(
        texts, project=project.name, stack=project.stack, origins=project.places, root=project.root
    )
    return Keys(spec.service.api_keys, spec.service.api_key_in_use)


def api_keys(deployment: Deployment) -> Mapping[int, Callable[[], str]]:
    """Find the API keys in a state by generation, newest first. A call decrypts the key."""

    def open_later(value: object) -> Callable[[], str]:
        return lambda: str(reveal(value))

    found = {
        generation_of(resource.name): open_later(resource.outputs.get("api_key"))
        for resource in deployment.resources
        if resource.type.endswith(_API_KEY) and not resource.delete
    }
    return dict(sorted(found.items(), reverse=True))


def _explain_failure(error: FlowflareError, step: RotationStep, project: Project) -> RolloutError:
    back = step.back
    return RolloutError(
        f"step {step.number} of 3, {step.title}: {error}",
        remedy="Fix the cause and run the same command again. To roll back, write "
        f"{back} in {project.stack_file.name}, then: flowflare up -s {quote(project.stack)}",
    )
