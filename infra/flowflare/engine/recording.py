"""Records what a stack's program declares: no account is asked, no secret opened, nothing written.

A recording is a preview from nothing in which ids have stand-ins, so that what one resource takes
of another is known. Encrypted configuration stays sealed: the program gets a stand-in for each
ciphertext, another one for another ciphertext, so that two recordings tell a secret that was
rewritten from one that was not.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from flowflare.config.files import Project
from flowflare.engine.apply import Deployer
from flowflare.engine.configuration import Configuration, open_configuration
from flowflare.engine.goal import Goal
from flowflare.engine.ledger import Ledger
from flowflare.engine.monitor import Engine, ResourceMonitor
from flowflare.engine.program import Program, importable, run
from flowflare.engine.providers.dynamic import PROVIDER_KEY
from flowflare.engine.providers.registry import Providers
from flowflare.engine.refused_steps import make_failure
from flowflare.engine.report import Report
from flowflare.engine.stand_ins import with_stand_ins
from flowflare.errors import EngineError, FlowflareError
from flowflare.kinds.handler import Handler
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import (
    PROVIDER_PREFIX,
    Deployment,
    Resource,
    dump_resource,
    load_resource,
    secret_text,
)
from flowflare.values.events import Failure, Step
from flowflare.values.properties import Props, Secret, Value, annotate, plain
from flowflare.values.urns import DYNAMIC_PACKAGE

FORMAT: Final = 1
_SEALED: Final = "sealed-"
_ACCOUNT: Final = "flowflare:accountId"
# Texts from this length on are kept once for all stacks: code, SQL.
_LONG: Final = 200
#: The key of a reference to a long text by its digest.
TEXT: Final = "$text"
_ADDRESS: Final = re.compile(r"\bat 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Recorded:
    """What one stack's program declares.

    Attributes:
        resources: the records, each after those that it needs; the stack's own among them.
        aliases: URN to the URNs under which the resource may have stood before.
        failures: resources that the program declares and `up` would refuse.
        error: why the program could not be recorded; empty when it was.
        stand_ins: values that stand for others, with the words to show instead.
    """

    resources: tuple[Resource, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    error: str = ""
    stand_ins: Mapping[str, str] = field(default_factory=dict)


class Stamps:
    """Stands for secrets: equal ones are stamped alike, and nobody can go back from a stamp.

    Args:
        key: the same for recordings that are to be compared.
        folders: where the checkout is, the innermost first. A secret that names them gets the
            same stamp in every checkout.
    """

    def __init__(self, key: bytes, folders: Sequence[str] = ()) -> None:
        self._key = key
        self._folders = folders

    def open_text(self, ciphertext: str) -> str:
        """The stand-in of an encrypted configuration value."""
        return f"{_SEALED}{self._stamp(ciphertext)}"

    def seal(self, secret: Secret) -> str:
        """The stamp of a secret that the program holds."""
        return self._stamp(secret_text(secret))

    def open(self, ciphertext: str) -> Value:
        """A stamp stands for itself."""
        return ciphertext

    def stamp_provider(self, text: str) -> str:
        """The stamp of a pickled provider that names the checkout's folder; else the pickle itself.

        dill pickles a class of the program's own file by value, with that file's path.
        """
        try:
            pickled = base64.b64decode(text, validate=True)
        except ValueError:
            return text
        named = [folder.encode() for folder in self._folders if folder.encode() in pickled]
        for folder in named:
            pickled = pickled.replace(folder, b"")
        return f"pickle-{hashlib.sha256(pickled).hexdigest()}" if named else text

    def _stamp(self, text: str) -> str:
        for folder in self._folders:
            text = text.replace(folder, "")
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]


def stand_in(name: str) -> str:
    """What stands for the id of a resource that is not there yet."""
    return f"[id of {name}]"


class Recorder(Deployer):
    """Answers registrations as after a first `up`, ids and generated secrets by stand-ins."""

    def future_id(self, goal: Goal) -> str:
        """The stand-in: the resource's name in brackets."""
        return stand_in(goal.name)

    def future_outputs(self, goal: Goal, inputs: Props) -> Props:
        """Secrets made of inputs: another stand-in for other inputs, as the values would be."""
        kind = find_kind(goal.type)
        if kind is None or not kind.made_of_inputs:
            return {}
        output = kind.made_of_inputs
        told = _of_the_run({key: value for key, value in inputs.items() if key != PROVIDER_KEY})
        return {output: Secret(f"[{output} of {goal.name}: {secret_text(Secret(told))}]")}

    def earlier(self) -> dict[str, Sequence[str]]:
        """URN to the URNs that its resource may have had before."""
        return {urn: earlier for urn, earlier in self._aliases.items() if earlier}

    def _checked(self, goal: Goal, old: Resource | None, handler: Handler) -> Props:
        kind = find_kind(goal.type)
        pure = goal.package != DYNAMIC_PACKAGE or (kind is not None and kind.has_pure_check)
        try:
            return super()._checked(goal, old, handler) if pure else _of_the_run(goal.inputs)
        except EngineError as error:
            step = Step("create", goal.urn, goal.type, goal.name)
            self._report.failed(step, make_failure(step, error))
            inputs: Props = annotate(plain(goal.inputs), goal.inputs)
            return inputs


def record(project: Project, stamps: Stamps) -> Recorded:
    """Records one stack.

    Args:
        project: the project seen through the stack.
        stamps: stand for its secrets.
    """
    try:
        config = _with_account(open_configuration(project, stamps, needs_salt=False))
        return with_stand_ins(project, config, partial(_recorded, project))
    except FlowflareError as error:
        return Recorded(error=str(error))


def _with_account(config: Configuration) -> Configuration:
    """The configuration with a stamp of an account's form where the account is a secret."""
    account = config.texts.get(_ACCOUNT, "")
    if _ACCOUNT not in config.secret:
        return config
    texts = {**config.texts, _ACCOUNT: account.removeprefix(_SEALED)}
    return Configuration(texts, config.secret)


def _recorded(project: Project, config: Configuration) -> Recorded:
    report = Report(None, lambda: 0.0)
    ledger = Ledger(Deployment(), lambda: "", None)
    with importable(project.main if project.main.is_dir() else project.main.parent):
        aliases = _run(project, config, ledger, report)
    own = [one for one in ledger.all() if not one.type.startswith(PROVIDER_PREFIX) or one.parent]
    # Resources are registered from several threads, so failures come in any order.
    failures = sorted(report.failures, key=lambda one: (one.urn, one.reason))
    return Recorded(_in_order(own), aliases, tuple(failures))


def _run(
    project: Project, config: Configuration, ledger: Ledger, report: Report
) -> dict[str, Sequence[str]]:
    providers = Providers(project.name, project.stack, config.values, {})
    recorder = Recorder(ledger, providers, report, dry_run=True)
    monitor = ResourceMonitor(project.name, project.stack, recorder, dry_run=True)
    program = Program(
        project.root, project.main, project.name, project.stack, config.texts, config.secret
    )
    run(program, monitor, Engine(report), dry_run=True)
    return recorder.earlier()


def _in_order(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """The records in the same order every time: each after what it needs, else by name."""
    waiting = {one.urn: one for one in sorted(resources, key=lambda one: (one.name, one.urn))}
    ordered: list[Resource] = []
    while waiting:
        ready = [one for one in waiting.values() if not one.needs() & waiting.keys()]
        ordered += ready or waiting.values()
        waiting = {urn: one for urn, one in waiting.items() if one not in ordered} if ready else {}
    return tuple(ordered)


def _of_the_run(inputs: Props) -> Props:
    """Inputs without those that a provider's `check` takes out: they hold for one run only."""
    return {
        key: value
        for key, value in inputs.items()
        if not key.startswith("__") or key == PROVIDER_KEY
    }


@dataclass
class Texts:
    """Long texts, each kept once under its digest."""

    by_digest: dict[str, str] = field(default_factory=dict)

    def shortened(self, value: Any) -> Any:
        """A JSON value with each long text replaced by a reference to it."""
        if isinstance(value, str):
            return value if len(value) < _LONG else {TEXT: self._kept(value)}
        if isinstance(value, dict):
            return {key: self.shortened(item) for key, item in value.items()}
        return [self.shortened(item) for item in value] if isinstance(value, list) else value

    def whole(self, value: Any) -> Any:
        """A JSON value with its long texts in their places again."""
        if isinstance(value, dict):
            if value.keys() == {TEXT}:
                return self.by_digest[value[TEXT]]
            return {key: self.whole(item) for key, item in value.items()}
        return [self.whole(item) for item in value] if isinstance(value, list) else value

    def _kept(self, text: str) -> str:
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.by_digest.setdefault(digest, text)
        return digest


def dump(recorded: Recorded, stamps: Stamps, texts: Texts) -> dict[str, Any]:
    """A recording as JSON values; its long texts go into `texts`."""
    return {
        "resources": [
            texts.shortened(dump_resource(_bare(one, stamps), stamps)) for one in recorded.resources
        ],
        "aliases": {urn: list(earlier) for urn, earlier in recorded.aliases.items()},
        "failures": [
            vars(replace(one, reason=_without_addresses(one.reason))) for one in recorded.failures
        ],
        "error": _without_addresses(recorded.error),
    }


def _without_addresses(text: str) -> str:
    """An error's text without addresses in memory: `<Thing object at 0x7f...>` in every run."""
    return _ADDRESS.sub("at 0x...", text)


def load(raw: Mapping[str, Any], stamps: Stamps, texts: Texts) -> Recorded:
    """Reads a recording that `dump` made."""
    resources = (load_resource(texts.whole(one), stamps) for one in raw["resources"])
    failures = (Failure(**one) for one in raw["failures"])
    return Recorded(tuple(resources), raw["aliases"], tuple(failures), raw["error"])


def _bare(one: Resource, stamps: Stamps) -> Resource:
    """A record without what differs from run to run."""
    inputs, outputs = (_with_stamped_provider(props, stamps) for props in (one.inputs, one.outputs))
    return replace(one, created="", modified="", provider="", inputs=inputs, outputs=outputs)


def _with_stamped_provider(props: Props, stamps: Stamps) -> Props:
    pickled = props.get(PROVIDER_KEY)
    if isinstance(pickled, Secret):
        pickled = pickled.value
    if not isinstance(pickled, str):
        return props
    return {**props, PROVIDER_KEY: stamps.stamp_provider(pickled)}
