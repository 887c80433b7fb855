"""Record what a stack's program declares, without calling an account or opening a secret.

A recording is a preview of an empty stack in which IDs have stand-ins, so that references between
resources are known. Encrypted configuration stays sealed: the program gets a stand-in for each
ciphertext. Different ciphertexts have different stand-ins, so that a comparison of two recordings
shows whether a secret was rewritten.
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
from flowflare.engine.configuration import Configuration, open_configuration
from flowflare.engine.embedded.apply import Deployer
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.monitor import Engine, ResourceMonitor
from flowflare.engine.embedded.program import Program, importable, run
from flowflare.engine.embedded.providers.dynamic import PROVIDER_KEY
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.embedded.stand_ins import with_stand_ins
from flowflare.engine.refused_steps import make_failure
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError, FlowflareError
from flowflare.kinds.handler import Handler
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import (
    PROVIDER_PREFIX,
    Deployment,
    Resource,
    dump_resource,
    dump_secret,
    load_resource,
)
from flowflare.values.events import Failure, Step
from flowflare.values.properties import Props, Secret, Value, annotate, plain
from flowflare.values.urns import DYNAMIC_PACKAGE

FORMAT: Final = 1
_SEALED: Final = "sealed-"
_ACCOUNT: Final = "flowflare:accountId"
# Texts of this length or more are stored once for all stacks: code, SQL.
_LONG: Final = 200
#: The key of a reference to a long text, by its digest.
TEXT: Final = "$text"
_ADDRESS: Final = re.compile(r"\bat 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class RecordedProgram:
    """The declarations of one stack's program.

    Attributes:
        resources: the records, each after those that it needs; the stack's own is one of them.
        aliases: for each URN, the URNs that the resource may have had before.
        failures: resources that the program declares and `up` would refuse.
        error: why the program could not be recorded; empty if it was.
        stand_ins: stand-ins that look like real values, each with the words to show instead.
    """

    resources: tuple[Resource, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    error: str = ""
    stand_ins: Mapping[str, str] = field(default_factory=dict)


class Stamps:
    """Replaces secrets by stamps: equal secrets get equal stamps, which cannot be reversed.

    Args:
        key: the HMAC key, the same for recordings that are compared.
        folders: the folders of the checkout and of the process, the innermost first. A secret that
            contains them gets the same stamp in every recording.
    """

    def __init__(self, key: bytes, folders: Sequence[str] = ()) -> None:
        self._key = key
        self._folders = folders

    def open_text(self, ciphertext: str) -> str:
        """Return the stand-in of an encrypted configuration value."""
        return f"{_SEALED}{self._stamp(ciphertext)}"

    def seal(self, secret: Secret) -> str:
        """Return the stamp of a secret that the program knows."""
        return self._stamp(dump_secret(secret))

    def open(self, ciphertext: str) -> Value:
        """Return the stamp itself: it cannot be opened."""
        return ciphertext

    def stamp_provider(self, text: str) -> str:
        """Return a stamp for a pickled provider that contains a checkout's folder, else the pickle.

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
    """Return the stand-in for the ID of a resource that does not exist yet."""
    return f"[id of {name}]"


class Recorder(Deployer):
    """Answers registrations as a first `up` would, with stand-ins for IDs and generated secrets."""

    def future_id(self, goal: Goal) -> str:
        """Return the stand-in: the resource's name in brackets."""
        return stand_in(goal.name)

    def future_outputs(self, goal: Goal, inputs: Props) -> Props:
        """Return stand-ins for secrets made of inputs; they differ if the inputs differ."""
        kind = find_kind(goal.type)
        if kind is None or not kind.made_of_inputs:
            return {}
        output = kind.made_of_inputs
        lasting = _drop_run_only(
            {key: value for key, value in inputs.items() if key != PROVIDER_KEY}
        )
        return {output: Secret(f"[{output} of {goal.name}: {dump_secret(Secret(lasting))}]")}

    def earlier(self) -> dict[str, Sequence[str]]:
        """Return, for each URN, the URNs that its resource may have had before."""
        return {urn: earlier for urn, earlier in self._aliases.items() if earlier}

    def _check(self, goal: Goal, old: Resource | None, handler: Handler) -> Props:
        kind = find_kind(goal.type)
        pure = goal.package != DYNAMIC_PACKAGE or (kind is not None and kind.has_pure_check)
        try:
            return super()._check(goal, old, handler) if pure else _drop_run_only(goal.inputs)
        except EngineError as error:
            step = Step("create", goal.urn, goal.type, goal.name)
            self._report.fail_step(step, make_failure(step, error))
            inputs: Props = annotate(plain(goal.inputs), goal.inputs)
            return inputs


def record(project: Project, stamps: Stamps) -> RecordedProgram:
    """Record one stack.

    Args:
        stamps: replaces its secrets.
    """
    try:
        config = _with_account(open_configuration(project, stamps, needs_salt=False))
        return with_stand_ins(project, config, partial(_record_program, project))
    except FlowflareError as error:
        return RecordedProgram(error=str(error))


def _with_account(config: Configuration) -> Configuration:
    """Replace a secret account ID by a stamp that has the form of an account ID."""
    account = config.texts.get(_ACCOUNT, "")
    if _ACCOUNT not in config.secret:
        return config
    texts = {**config.texts, _ACCOUNT: account.removeprefix(_SEALED)}
    return Configuration(texts, config.secret)


def _record_program(project: Project, config: Configuration) -> RecordedProgram:
    report = RunLog(None, lambda: 0.0)
    ledger = Ledger(Deployment(), lambda: "", None)
    with importable(project.main if project.main.is_dir() else project.main.parent):
        aliases = _run(project, config, ledger, report)
    own = [
        record
        for record in ledger.all()
        if not record.type.startswith(PROVIDER_PREFIX) or record.parent
    ]
    # Resources are registered from several threads, so failures come in any order.
    failures = sorted(report.failures, key=lambda failure: (failure.urn, failure.reason))
    return RecordedProgram(_in_order(own), aliases, tuple(failures))


def _run(
    project: Project, config: Configuration, ledger: Ledger, report: RunLog
) -> dict[str, Sequence[str]]:
    providers = Providers(project.name, project.stack, config.values, {})
    recorder = Recorder(ledger, providers, report, dry_run=True)
    monitor = ResourceMonitor(project.name, project.stack, recorder, dry_run=True)
    program = Program(project, config.texts, config.secret)
    run(program, monitor, Engine(report), dry_run=True)
    return recorder.earlier()


def _in_order(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Sort the records in a stable order: each after those that it needs, else by name."""
    waiting = {
        record.urn: record
        for record in sorted(resources, key=lambda record: (record.name, record.urn))
    }
    ordered: list[Resource] = []
    while waiting:
        ready = [record for record in waiting.values() if not record.needs() & waiting.keys()]
        ordered += ready or waiting.values()
        waiting = (
            {urn: record for urn, record in waiting.items() if record not in ordered}
            if ready
            else {}
        )
    return tuple(ordered)


def _drop_run_only(inputs: Props) -> Props:
    """Return the inputs without those that apply to one run only: a `check` removes them."""
    return {
        key: value
        for key, value in inputs.items()
        if not key.startswith("__") or key == PROVIDER_KEY
    }


@dataclass
class Texts:
    """Stores each long text once, by its digest."""

    by_digest: dict[str, str] = field(default_factory=dict)

    def shorten(self, value: Any) -> Any:
        """Replace each long text in a JSON value by a reference to it."""
        if isinstance(value, str):
            return value if len(value) < _LONG else {TEXT: self._store(value)}
        if isinstance(value, dict):
            return {key: self.shorten(item) for key, item in value.items()}
        return [self.shorten(item) for item in value] if isinstance(value, list) else value

    def restore(self, value: Any) -> Any:
        """Replace the references in a JSON value by their long strings."""
        if isinstance(value, dict):
            if value.keys() == {TEXT}:
                return self.by_digest[value[TEXT]]
            return {key: self.restore(item) for key, item in value.items()}
        return [self.restore(item) for item in value] if isinstance(value, list) else value

    def _store(self, text: str) -> str:
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.by_digest.setdefault(digest, text)
        return digest


def dump(recorded: RecordedProgram, stamps: Stamps, texts: Texts) -> dict[str, Any]:
    """Write a recording as JSON values; `texts` receives its long strings."""
    return {
        "resources": [
            texts.shorten(dump_resource(_bare(record, stamps), stamps))
            for record in recorded.resources
        ],
        "aliases": {urn: list(earlier) for urn, earlier in recorded.aliases.items()},
        "failures": [
            vars(replace(failure, reason=_without_addresses(failure.reason)))
            for failure in recorded.failures
        ],
        "error": _without_addresses(recorded.error),
    }


def _without_addresses(text: str) -> str:
    """Replace memory addresses in an error's text: `<Thing object at 0x7f...>` differs each run."""
    return _ADDRESS.sub("at 0x...", text)


def load(raw: Mapping[str, Any], stamps: Stamps, texts: Texts) -> RecordedProgram:
    """Read a recording that `dump` wrote."""
    resources = (load_resource(texts.restore(record), stamps) for record in raw["resources"])
    failures = (Failure(**failure) for failure in raw["failures"])
    return RecordedProgram(tuple(resources), raw["aliases"], tuple(failures), raw["error"])


def _bare(record: Resource, stamps: Stamps) -> Resource:
    """Return a record without the fields that differ from run to run."""
    inputs, outputs = (
        _with_stamped_provider(props, stamps) for props in (record.inputs, record.outputs)
    )
    return replace(record, created="", modified="", provider="", inputs=inputs, outputs=outputs)


def _with_stamped_provider(props: Props, stamps: Stamps) -> Props:
    pickled = props.get(PROVIDER_KEY)
    if isinstance(pickled, Secret):
        pickled = pickled.value
    if not isinstance(pickled, str):
        return props
    return {**props, PROVIDER_KEY: stamps.stamp_provider(pickled)}
