"""The contract of a kind of resource: its verbs, and the functions that load its answers.

A verb's value is the name of an object in the folder's file for that verb: `apply="D1Database"` in
the folder `d1_database` is `D1Database` in `d1_database/apply.py`. `module:name` is a name that
several kinds share, `Shared` is such a name that takes the kind first, and `NotSupported` gives the
reason why there is no answer.
"""

from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi import CustomResource, ResourceOptions
    from pulumi.dynamic import ResourceProvider

    from flowflare.kinds.account import Account
    from flowflare.kinds.adoption import Findings, Thing, Wanted
    from flowflare.kinds.assessment import Details, Reason
    from flowflare.kinds.cloudflare_handler import CloudflareHandler
    from flowflare.kinds.drifted import Drifted
    from flowflare.kinds.scene import Scene
    from flowflare.kinds.surroundings import Surroundings
    from flowflare.model.client import OwnSpec
    from flowflare.model.worker import WorkerSpec
    from flowflare.model.written import Written
    from flowflare.values.events import Step

    Declare = Callable[[str, OwnSpec, Mapping[str, Any], str, ResourceOptions], CustomResource]

DYNAMIC: Final = "pulumi-python:dynamic/flowflare:"


@dataclass(frozen=True)
class NotSupported:
    """The reason why a kind does not answer a verb.

    Attributes:
        why: the reason, a sentence for users.
    """

    why: str


@dataclass(frozen=True)
class Shared:
    """A function that answers a verb for several kinds.

    Attributes:
        name: its module and name, `module:name`; its first argument is the kind.
    """

    name: str


Verb = str | Shared | NotSupported


@dataclass(frozen=True)
class Own:
    """How a client's binding creates its own resource of a kind.

    Attributes:
        key: the key below the binding's name in the configuration, such as `kvNamespace`.
        words: its name in texts: `KV namespace`.
        bound_as: the binding's type in Cloudflare's API, which has its file in `bindings/`.
        content: what is deleted with it, as in `its keys`; empty if it holds no data.
    """

    key: str
    words: str
    bound_as: str
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource.

    Attributes:
        folder: the package of its files.
        apply: creates, changes and deletes it on the embedded engine: a `CloudflareHandler`, or the
            provider class of a dynamic resource.
        risk: assesses an operation's effect on data and running objects.
        calls: counts an operation's requests if nothing fails.
        drift: compares the account with state.
        adopt: finds the declared resource in the account.
        settings: the schema of its keys in the configuration.
        declare: registers it with Pulumi: a function, or the class of a dynamic resource.
        wrangler: returns what it adds to wrangler's configuration of a Worker.
        details: returns the details for a report, besides changed properties.
        has_modules: whether its `content` is a bundle, which is compared module by module.
        told_by_the_script: properties that reports omit, because the script's entry has them.
        has_pure_check: whether a dynamic provider's `check` only reads its arguments.
        made_of_inputs: a secret output that changes exactly if an input changes.
        own: how a client's binding creates its own resource; None if it cannot.
        holds_data: whether deleting it loses data, so that `protect` guards it.
        is_owned: whether the account has it under its own ID, so that two stacks cannot share it;
            False for a part of a script.
        is_adopted_unchecked: whether adopting skips the provider's check, because the check assumes
            that the inputs will be applied.
        name_taken: the API's error code for a name that is taken, if the account shows whether a
            run of the Pulumi CLI made the resource that has it; otherwise 0.
    """

    type: str
    folder: str
    apply: Verb
    risk: Verb
    calls: Verb
    drift: Verb
    adopt: Verb
    declare: Verb
    settings: Verb
    wrangler: Verb = NotSupported("A binding adds it, or wrangler cannot express it.")
    details: Verb = NotSupported("Its changed properties say everything.")
    has_modules: bool = False
    told_by_the_script: tuple[str, ...] = ()
    has_pure_check: bool = False
    made_of_inputs: str = ""
    own: Own | None = None
    holds_data: bool = False
    is_owned: bool = False
    is_adopted_unchecked: bool = False
    name_taken: int = 0

    @property
    def name(self) -> str:
        """The last word of its type: `D1Database`."""
        return self.type.rpartition(":")[2]

    @property
    def is_dynamic(self) -> bool:
        """Whether a dynamic provider of this package serves it, on both engines."""
        return self.type.startswith(DYNAMIC)


def load_apply(kind: Kind) -> "type[CloudflareHandler] | None":
    """Load the handler that replaces Cloudflare's provider; None for a dynamic kind."""
    return None if kind.is_dynamic else _load(kind, "apply")


def load_provider(kind: Kind) -> "type[ResourceProvider] | None":
    """Load the provider class of a dynamic kind; None for any other kind."""
    return _load(kind, "apply") if kind.is_dynamic else None


def load_risk(kind: Kind) -> "Callable[[Step, Surroundings], Iterable[Reason]] | None":
    """Load the function that assesses an operation; None for a kind without risks."""
    answer: Callable[[Step, Surroundings], Iterable[Reason]] | None = _load(kind, "risk")
    return answer


def load_calls(kind: Kind) -> "Callable[[Step], int] | None":
    """Load the function that counts requests; None for a kind that sends none."""
    answer: Callable[[Step], int] | None = _load(kind, "calls")
    return answer


def load_details(kind: Kind) -> "Callable[[Step], Details] | None":
    """Load the function that returns a step's details; None for a kind without details."""
    answer: Callable[[Step], Details] | None = _load(kind, "details")
    return answer


def load_drift(kind: Kind) -> "Callable[[Scene, Account], Iterable[Drifted]] | None":
    """Load the function that compares state with the account; None if this is not possible."""
    answer: Callable[[Scene, Account], Iterable[Drifted]] | None = _load(kind, "drift")
    return answer


def load_adopt(kind: Kind) -> "Callable[[Wanted, Account, Findings], Thing | None] | None":
    """Load the function that finds a kind in an account; None if there is none."""
    answer: Callable[[Wanted, Account, Findings], Thing | None] | None = _load(kind, "adopt")
    return answer


def load_wrangler(kind: Kind) -> "Callable[[WorkerSpec], Mapping[str, Any]] | None":
    """Load the function that writes a kind into wrangler's configuration; None if none does."""
    answer: Callable[[WorkerSpec], Mapping[str, Any]] | None = _load(kind, "wrangler")
    return answer


def load_settings(kind: Kind) -> "type[Written] | None":
    """Load the schema of a client's own resource in the configuration."""
    answer: type[Written] | None = _load(kind, "settings")
    return answer


def load_declare(kind: Kind) -> "Declare":
    """Load the function that registers a client's own resource.

    Its arguments are the resource's name, its settings, the values of its secret settings by path,
    the account and the options.
    """
    answer: Declare = _load(kind, "declare")
    return answer


@cache
def _load(kind: Kind, verb: str) -> Any:
    """Load a kind's answer to a verb; None if it has none."""
    answer: Verb = getattr(kind, verb)
    if isinstance(answer, NotSupported):
        return None
    module, _, name = (answer.name if isinstance(answer, Shared) else answer).rpartition(":")
    found = getattr(import_module(module or f"{kind.folder}.{verb}"), name)
    return partial(found, kind) if isinstance(answer, Shared) else found
