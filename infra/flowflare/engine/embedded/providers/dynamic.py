"""Serve dynamic resources: unpickle `__provider` and call it as Pulumi's own host does.

The host is `pulumi/dynamic/__main__.py` of the SDK; here the provider runs in this process. Its
methods get the same arguments, and their answers are stored the same way: plain values, numbers as
floats, `__provider` in inputs and outputs, outputs that are not merged with inputs.
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
    """Convert any exception of a provider's call, even `SystemExit`, to its resource's failure.

    Only Ctrl-C ends the run.
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
    """Loads the dynamic providers of one run: each is unpickled and configured once.

    Args:
        project: the project's name, which is the namespace of keys without a namespace.
        config: the whole configuration by full key, secrets opened.
        api: opens the API's clients, for providers with a method `use_api`, which Pulumi's own
            host does not call.
    """

    def __init__(self, project: str, config: Mapping[str, str], api: Connector = PROCESS) -> None:
        self._project = project
        self._api = api
        self._config = dict(config)
        self._loaded: dict[str, ResourceProvider] = {}
        self._lock = threading.Lock()

    def load(self, props: Props) -> "ResourceProvider":
        """Load the provider that is pickled in the properties.

        Raises:
            EngineError: the provider cannot be unpickled.
        """
        from pulumi.dynamic import Config, ConfigureRequest

        text = props.get(PROVIDER_KEY)
        if not isinstance(text, str):
            raise EngineError("a dynamic resource in state has no provider")
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
        """Load the provider."""


class Dynamic:
    """Serves every `pulumi-python:dynamic...` type."""

    def __init__(self, providers: Loader) -> None:
        self._providers = providers

    @_as_failure
    def check(self, old: Props, new: Props) -> Props:
        """Let the provider check and complete the inputs.

        Raises:
            EngineError: the inputs have mistakes; the message lists all of them.
        """
        provider = self._providers.load(old if _provider_unknown(new) else new)
        result = provider.check(_make_arguments(old), _make_arguments(new))
        if result.failures:
            raise EngineError(
                "; ".join(f"{failure.property}: {failure.reason}" for failure in result.failures)
            )
        return _serialize({**result.inputs, PROVIDER_KEY: new[PROVIDER_KEY]})

    @_as_failure
    def diff(self, old: Existing, new: Props) -> Diff:
        """Let the provider compare the old outputs with the new inputs."""
        provider = self._providers.load(old.outputs if _provider_unknown(new) else new)
        result = provider.diff(old.id, _make_arguments(old.outputs), _make_arguments(new))
        return Diff(
            result.changes, tuple(result.replaces or ()), bool(result.delete_before_replace)
        )

    @_as_failure
    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Return the outputs that the provider predicts; Pulumi's own host never asks for them."""
        del old
        if _provider_unknown(new):
            return {}
        say = getattr(self._providers.load(new), "foresee", None)
        return {} if say is None else _add_provider(say(_make_arguments(new)), new)

    @_as_failure
    def create(self, new: Props) -> Made:
        """Let the provider create the resource."""
        result = self._providers.load(new).create(_make_arguments(new))
        if not result.id:
            raise EngineError("the dynamic provider created a resource without an ID")
        return Made(str(result.id), _add_provider(result.outs, new))

    @_as_failure
    def update(self, old: Existing, new: Props) -> Props:
        """Let the provider update the resource."""
        result = self._providers.load(new).update(
            old.id, _make_arguments(old.outputs), _make_arguments(new)
        )
        return _add_provider(result.outs, new)

    @_as_failure
    def delete(self, old: Existing) -> None:
        """Let the provider delete the resource."""
        self._providers.load(old.outputs).delete(old.id, _make_arguments(old.outputs))

    @_as_failure
    def read(self, old: Existing) -> Made | None:
        """Let the provider read the resource."""
        props = old.outputs or old.inputs
        result = self._providers.load(props).read(old.id, _make_arguments(props))
        return Made(result.id, _add_provider(result.outs, props)) if result.id else None

    def recover(self, new: Props) -> Made | None:
        """Return None: an interrupted creation is repeated, which the provider must allow."""
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
            f"a dynamic provider in state cannot be loaded: {error}",
            remedy="Its module and class must not be moved after the resource was created.",
        ) from error
    except (binascii.Error, ValueError, EOFError) as error:
        raise EngineError(f"a dynamic provider in state is damaged: {error}") from error
    assert isinstance(provider, ResourceProvider)
    return provider


def _make_arguments(props: Props) -> dict[str, Any]:
    """Convert properties to the arguments of the provider's methods."""
    from pulumi.output import Unknown

    seen: dict[str, Any] = plain(props, unknown=Unknown())  # type: ignore[no-untyped-call]
    return seen


def _add_provider(outs: Mapping[str, Any] | None, inputs: Props) -> Props:
    return _serialize({**(outs or {}), PROVIDER_KEY: inputs[PROVIDER_KEY]})


def _serialize(props: Mapping[str, Any]) -> Props:
    """Convert a provider's answer to values as the SDK serializes it for the Pulumi CLI."""
    from pulumi.runtime import rpc

    kept: dict[str, Value] = read_struct(_result(lambda: rpc.serialize_properties(dict(props), {})))
    return kept


def _result(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine; make an event loop only if the coroutine has to wait for something."""
    begun = work()
    try:
        begun.send(None)
    except StopIteration as end:
        return end.value
    except RuntimeError:
        pass  # it needs an event loop
    finally:
        begun.close()
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()
