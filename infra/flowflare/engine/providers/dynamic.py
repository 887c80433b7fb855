"""Dynamic resources: unpickles `__provider` and calls it as Pulumi's own host does.

The host is `pulumi/dynamic/__main__.py` of the SDK; here it runs in process. What its methods see
and what is kept of their answers follows it to the letter: plain values, numbers as floats,
`__provider` in inputs and outputs, outputs taken whole and not merged with inputs.
"""

import asyncio
import base64
import binascii
import functools
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypeVar

from flowflare.api import PROCESS, Connector
from flowflare.errors import EngineError
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.values.properties import UNKNOWN, Props, Value, plain
from flowflare.values.wire import read_struct

if TYPE_CHECKING:
    from pulumi.dynamic import ResourceProvider

PROVIDER_KEY: Final = "__provider"
_P = ParamSpec("_P")
_R = TypeVar("_R")


def _as_failure(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make any end of a provider's call a failure of its resource, `sys.exit` among them.

    Only Ctrl-C ends the run: everything else belongs to the resource that the provider served.
    """

    @functools.wraps(call)
    def answer(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return call(*args, **kwargs)
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            raised = f"{type(error).__name__}: {error}"
            raise EngineError(f"the dynamic provider ended with {raised}") from error

    return answer


class DynamicProviders:
    """The providers of one run: each is unpickled and configured once.

    Args:
        project: the project's name, the namespace of keys without one.
        config: the whole configuration by full key, secrets opened.
        api: opens the API's clients, for providers that take it (`use_api`); Pulumi's own host
            gives them none.
    """

    def __init__(self, project: str, config: Mapping[str, str], api: Connector = PROCESS) -> None:
        self._project = project
        self._api = api
        self._config = dict(config)
        self._loaded: dict[str, ResourceProvider] = {}
        self._lock = threading.Lock()

    def load(self, props: Props) -> "ResourceProvider":
        """The provider whose pickle the properties carry.

        Raises:
            EngineError: it cannot be unpickled.
        """
        from pulumi.dynamic import Config, ConfigureRequest

        text = props.get(PROVIDER_KEY)
        if not isinstance(text, str):
            raise EngineError("a dynamic resource in state carries no provider")
        with self._lock:
            provider = self._loaded.get(text)
            if provider is None:
                provider = _unpickle(text)
                raw: dict[str, Any] = self._config
                provider.configure(ConfigureRequest(config=Config(raw, self._project)))
                take = getattr(provider, "use_api", None)
                if take is not None:
                    take(self._api)
                self._loaded[text] = provider
        return provider


class Loader(Protocol):
    """Finds the provider of a dynamic resource by its properties."""

    def load(self, props: Props) -> "ResourceProvider":
        """The provider."""


class Dynamic:
    """Serves every `pulumi-python:dynamic...` type.

    Args:
        providers: the run's providers.
    """

    def __init__(self, providers: Loader) -> None:
        self._providers = providers

    @_as_failure
    def check(self, old: Props, new: Props) -> Props:
        """Lets the provider check and complete the inputs.

        Raises:
            EngineError: it finds mistakes; every one is named.
        """
        provider = self._providers.load(old if _provider_unknown(new) else new)
        result = provider.check(_seen(old), _seen(new))
        if result.failures:
            raise EngineError("; ".join(f"{one.property}: {one.reason}" for one in result.failures))
        return _kept({**result.inputs, PROVIDER_KEY: new[PROVIDER_KEY]})

    @_as_failure
    def diff(self, old: Existing, new: Props) -> Diff:
        """Lets the provider compare the old outputs with the new inputs."""
        provider = self._providers.load(old.outputs if _provider_unknown(new) else new)
        result = provider.diff(old.id, _seen(old.outputs), _seen(new))
        return Diff(
            result.changes, tuple(result.replaces or ()), bool(result.delete_before_replace)
        )

    @_as_failure
    def foresee(self, old: Existing | None, new: Props) -> Props:
        """What the provider says beforehand of its outputs; Pulumi's own never say anything."""
        del old
        if _provider_unknown(new):
            return {}
        say = getattr(self._providers.load(new), "foresee", None)
        return {} if say is None else _whole(say(_seen(new)), new)

    @_as_failure
    def create(self, new: Props) -> Made:
        """Lets the provider make it."""
        result = self._providers.load(new).create(_seen(new))
        if not result.id:
            raise EngineError("the dynamic provider made a resource without an id")
        return Made(str(result.id), _whole(result.outs, new))

    @_as_failure
    def update(self, old: Existing, new: Props) -> Props:
        """Lets the provider change it."""
        result = self._providers.load(new).update(old.id, _seen(old.outputs), _seen(new))
        return _whole(result.outs, new)

    @_as_failure
    def delete(self, old: Existing) -> None:
        """Lets the provider remove it."""
        self._providers.load(old.outputs).delete(old.id, _seen(old.outputs))

    @_as_failure
    def read(self, old: Existing) -> Made | None:
        """Lets the provider look it up."""
        props = old.outputs or old.inputs
        result = self._providers.load(props).read(old.id, _seen(props))
        return Made(result.id, _whole(result.outs, props)) if result.id else None

    def recover(self, new: Props) -> Made | None:
        """Nothing is known of an interrupted creation; it is made again, and must stand that."""
        del new
        return None


def _provider_unknown(new: Props) -> bool:
    return new.get(PROVIDER_KEY) is UNKNOWN


def _unpickle(text: str) -> "ResourceProvider":
    import dill
    from pulumi.dynamic import ResourceProvider
    from pulumi.runtime._serialization import _deserialize

    try:
        provider = _deserialize(dill.loads, base64.b64decode(text))
    except (ImportError, AttributeError) as error:
        raise EngineError(
            f"a dynamic provider kept in state cannot be loaded: {error}",
            remedy="Its module and class must stay where they were when the resource was made.",
        ) from error
    except (binascii.Error, ValueError, EOFError) as error:
        raise EngineError(f"a dynamic provider kept in state is damaged: {error}") from error
    assert isinstance(provider, ResourceProvider)
    return provider


def _seen(props: Props) -> dict[str, Any]:
    """Properties as the provider's methods see them."""
    from pulumi.output import Unknown

    seen: dict[str, Any] = plain(props, unknown=Unknown())  # type: ignore[no-untyped-call]
    return seen


def _whole(outs: Mapping[str, Any] | None, inputs: Props) -> Props:
    return _kept({**(outs or {}), PROVIDER_KEY: inputs[PROVIDER_KEY]})


def _kept(props: Mapping[str, Any]) -> Props:
    """A provider's answer as values, serialized as the SDK serializes it for the real engine."""
    from pulumi.runtime import rpc

    kept: dict[str, Value] = read_struct(_result(lambda: rpc.serialize_properties(dict(props), {})))
    return kept


def _result(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a coroutine returns; a loop is made only for one that has to wait for something."""
    begun = work()
    try:
        begun.send(None)
    except StopIteration as end:
        return end.value
    except RuntimeError:
        pass  # it looks for a loop
    finally:
        begun.close()
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()
