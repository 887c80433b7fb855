"""What a kind of resource answers: its verbs, and the functions that load an answer.

A verb names something in the folder's file of that name: `apply="D1Database"` in the folder
`d1_database` is `D1Database` in `d1_database/apply.py`. `module:name` names what several kinds
share, and `NotSupported` says why there is no answer.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    from flowflare.model.written import Written
    from flowflare.values.events import Step

DYNAMIC: Final = "pulumi-python:dynamic/flowflare:"


@dataclass(frozen=True)
class NotSupported:
    """Why a kind does not answer a verb.

    Attributes:
        why: a sentence that a user can read.
    """

    why: str


Verb = str | NotSupported


@dataclass(frozen=True)
class Own:
    """How a client's binding makes a resource of a kind for itself alone.

    Attributes:
        key: the key below the binding's name in the configuration, such as `kvNamespace`.
        words: what people call it: `KV namespace`.
        bound_as: the binding's type in Cloudflare's API.
        bound_by: the binding's field that names the resource.
        is_bound_by_id: whether that field holds the ID that Cloudflare gives, not the name.
    """

    key: str
    words: str
    bound_as: str
    bound_by: str
    is_bound_by_id: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource.

    Attributes:
        type: its type's token, as states have it.
        folder: the package of its files.
        apply: makes, changes and removes it on the embedded engine: a `CloudflareHandler`, or the
            provider class of a dynamic resource.
        risk: what an operation means for data and running objects.
        calls: how many requests an operation takes when nothing fails.
        drift: what of the account is not as state has it.
        adopt: what of the account is the resource that a program declares.
        settings: what a client's configuration says of one that is its own.
        declare: registers one that is a client's own with Pulumi.
        details: what a report says beside changed properties.
        has_modules: whether its `content` is a bundle, which is compared module by module.
        told_by_the_script: properties that reports leave out: the script's own entry has them.
        has_pure_check: whether a dynamic provider's `check` reads nothing but its arguments.
        made_of_inputs: a secret output that changes when an input does, and only then.
        own: how a client's binding makes one of its own; None if it cannot.
        holds_data: whether deleting it loses data, so that `protect` guards it.
        is_owned: whether an account has one under an ID, so that two stacks cannot share it; what
            belongs to a script goes with the script.
        is_adopted_unchecked: whether adopting skips the provider's check, which judges the inputs
            as if they were about to be applied.
    """

    type: str
    folder: str
    apply: Verb
    risk: Verb
    calls: Verb
    drift: Verb
    adopt: Verb
    settings: Verb = NotSupported("The configuration has keys of its own for it.")
    declare: Verb = NotSupported("The components of a service and of a client declare it.")
    details: Verb = NotSupported("Its changed properties say everything.")
    has_modules: bool = False
    told_by_the_script: tuple[str, ...] = ()
    has_pure_check: bool = False
    made_of_inputs: str = ""
    own: Own | None = None
    holds_data: bool = False
    is_owned: bool = False
    is_adopted_unchecked: bool = False

    @property
    def name(self) -> str:
        """The last word of its type, as people say it: `D1Database`."""
        return self.type.rpartition(":")[2]

    @property
    def is_dynamic(self) -> bool:
        """Whether a dynamic provider of this package serves it, on both engines."""
        return self.type.startswith(DYNAMIC)


def load_apply(kind: Kind) -> "type[CloudflareHandler] | None":
    """Load what sends the requests of Cloudflare's provider; None for a dynamic kind."""
    return None if kind.is_dynamic else _load(kind, "apply")


def load_provider(kind: Kind) -> "type[ResourceProvider] | None":
    """Load the provider class of a dynamic kind; None for any other kind."""
    return _load(kind, "apply") if kind.is_dynamic else None


def load_risk(kind: Kind) -> "Callable[[Step, Surroundings], Iterable[Reason]] | None":
    """Load what says how bad an operation is; None for a kind of which nothing is at risk."""
    answer: Callable[[Step, Surroundings], Iterable[Reason]] | None = _load(kind, "risk")
    return answer


def load_calls(kind: Kind) -> "Callable[[Step], int] | None":
    """Load what counts requests; None for a kind that takes none."""
    answer: Callable[[Step], int] | None = _load(kind, "calls")
    return answer


def load_details(kind: Kind) -> "Callable[[Step], Details] | None":
    """Load what a report says of a kind's steps; None for nothing special."""
    answer: Callable[[Step], Details] | None = _load(kind, "details")
    return answer


def load_drift(kind: Kind) -> "Callable[[Scene, Account], Iterable[Drifted]] | None":
    """Load what compares state with the account; None for a kind that the account does not show."""
    answer: Callable[[Scene, Account], Iterable[Drifted]] | None = _load(kind, "drift")
    return answer


def load_adopt(kind: Kind) -> "Callable[[Wanted, Account, Findings], Thing | None] | None":
    """Load what finds a kind in an account; None for a kind that is not looked for."""
    answer: Callable[[Wanted, Account, Findings], Thing | None] | None = _load(kind, "adopt")
    return answer


def load_settings(kind: Kind) -> "type[Written] | None":
    """Load the schema of what a client's configuration says of one that is its own."""
    answer: type[Written] | None = _load(kind, "settings")
    return answer


def load_declare(kind: Kind) -> "Callable[[str, OwnSpec, str, ResourceOptions], CustomResource]":
    """Load what registers one: called with its name, what it is, its account and options."""
    answer: Callable[[str, OwnSpec, str, ResourceOptions], CustomResource] = _load(kind, "declare")
    return answer


@cache
def _load(kind: Kind, verb: str) -> Any:
    """Load what a kind answers to a verb; None if it does not answer."""
    answer: Verb = getattr(kind, verb)
    if isinstance(answer, NotSupported):
        return None
    module, _, name = answer.rpartition(":")
    return getattr(import_module(module or f"{kind.folder}.{verb}"), name)
