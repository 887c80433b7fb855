"""Find the handler of a type, and make the default providers that configure handlers."""

import uuid
from collections.abc import Mapping
from typing import Final

from flowflare.api import PROCESS, Connector
from flowflare.engine.embedded.providers.recorded import Passive, RecordedType
from flowflare.kinds.contract import load_apply
from flowflare.kinds.handler import Diff, Existing, Handler, Made
from flowflare.kinds.registry import KINDS
from flowflare.state.checkpoint import PROVIDER_PREFIX, STACK_REFERENCE, Resource
from flowflare.values.properties import Props, Secret, changed_keys, plain
from flowflare.values.urns import DYNAMIC_PACKAGE, Urn

# Inputs that the schema of Cloudflare's provider marks as secret.
_SECRET_INPUTS: Final = {"cloudflare": frozenset({"apiKey", "apiToken", "apiUserServiceKey"})}


class Providers:
    """Finds the handlers of one run.

    Args:
        config: the configuration by full key; secret values are marked.
        environ: the environment, for settings that the configuration lacks.
        api: opens the API's clients.
        references: reads other stacks; None if the program cannot refer to any.
        refuses_others: whether a preview reports that `up` refuses types which are not served.
    """

    def __init__(  # noqa: PLR0913 -- the parts of a run, by keyword
        self,
        project: str,
        stack: str,
        config: Props,
        environ: Mapping[str, str],
        *,
        api: Connector = PROCESS,
        references: Handler | None = None,
        refuses_others: bool = False,
    ) -> None:
        self._project = project
        self._stack = stack
        self._config = config
        self._environ = environ
        self._api = api
        self._references = references
        self._refuses_others = refuses_others
        self._cloudflare: dict[tuple[object, ...], object] = {}
        self._dynamic: Handler | None = None

    def default_urn(self, package: str, version: str) -> str:
        """Return the URN of a package's default provider, for resources that name no provider."""
        name = "default" + (f"_{version.replace('.', '_')}" if version else "")
        return str(Urn(self._stack, self._project, PROVIDER_PREFIX + package, name))

    def default_inputs(self, package: str, version: str) -> Props:
        """Return the inputs of a package's default provider: its configuration and version."""
        if package == DYNAMIC_PACKAGE:
            return dict(self._config)
        secret = _SECRET_INPUTS.get(package, frozenset())
        own: Props = {"__internal": {}}
        for key, value in self._config.items():
            namespace, _, name = key.partition(":")
            if namespace == package:
                known = isinstance(value, Secret) or name not in secret
                own[name] = value if known else Secret(value)
        return {**own, "version": version} if version else own

    def handler(self, type_: str, provider: Resource | None) -> Handler:
        """Return the handler of a type.

        Args:
            provider: the record of the provider that serves it; None for a provider itself.
        """
        package = type_.split(":", 1)[0]
        if type_.startswith(PROVIDER_PREFIX):
            return ProviderHandler()
        if package == DYNAMIC_PACKAGE:
            return self._dynamic_handler()
        if type_ == STACK_REFERENCE and self._references is not None:
            return self._references
        if package == "cloudflare" and provider is not None:
            return self._cloudflare_handler(type_, provider)
        return self._record(type_)

    def _record(self, type_: str) -> RecordedType:
        return RecordedType(type_, self._list_served(), is_refused=self._refuses_others)

    def _dynamic_handler(self) -> Handler:
        from flowflare.engine.embedded.providers.dynamic import Dynamic, DynamicProviders

        if self._dynamic is None:
            # Dynamic providers read the environment of the process, and the stack may have another
            # token: it is passed as configuration, which is not stored in state here.
            token = self._environ.get("CLOUDFLARE_API_TOKEN")
            config = ({"cloudflare:apiToken": token} if token else {}) | plain(self._config)
            self._dynamic = Dynamic(DynamicProviders(self._project, config, self._api))
        return self._dynamic

    def _cloudflare_handler(self, type_: str, provider: Resource) -> Handler:
        from flowflare.kinds.access import Access
        from flowflare.kinds.plugin_state import serve

        inputs = self._inputs_now(provider)
        key = (inputs.get("baseUrl"), inputs.get("apiToken"))
        access = self._cloudflare.get(key)
        if not isinstance(access, Access):
            access = self._cloudflare[key] = Access(inputs, self._environ, api=self._api)
        return serve(type_, access) or self._record(type_)

    def _inputs_now(self, provider: Resource) -> Props:
        """Return a provider's inputs; a default provider has those of the current configuration."""
        found: Props
        if not provider.parent and provider.name.split("_")[0] == "default":
            found = plain(self.default_inputs("cloudflare", ""))
        else:
            found = plain(provider.inputs)
        return found

    def _list_served(self) -> list[str]:
        served = [kind.type for kind in KINDS if load_apply(kind) is not None]
        return [*served, f"{DYNAMIC_PACKAGE}:dynamic (dynamic resources)"]


class ProviderHandler(Passive):
    """Serves providers themselves: records with an ID, without a plugin and without calls."""

    def diff(self, old: Existing, new: Props) -> Diff:
        """Compare inputs; a changed configuration never replaces a provider."""
        return Diff(bool(changed_keys(old.inputs, new)))

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Return the inputs."""
        del old
        return _without_internal(new)

    def create(self, new: Props) -> Made:
        """Give the provider an ID."""
        return Made(str(uuid.uuid4()), _without_internal(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Return the new configuration as outputs."""
        del old
        return _without_internal(new)

    def read(self, old: Existing) -> Made | None:
        """Return the record: a provider always exists."""
        return Made(old.id, old.outputs)


def _without_internal(inputs: Props) -> Props:
    return {key: value for key, value in inputs.items() if key != "__internal"}
