"""A Cloudflare plugin for the Pulumi CLI: the embedded engine's handlers over Pulumi's protocol.

It stands in for Cloudflare's own plugin, which no test can download, on a Cloudflare on loopback.
Of lost answers it knows as little as the real one: it asks again and reports what it is told.
"""

import os
import sys
from concurrent import futures
from typing import Any

import grpc
import httpx
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from flowflare.engine.providers.cloudflare import KINDS, Access
from flowflare.engine.providers.protocol import Existing
from flowflare.engine.urns import type_of
from flowflare.engine.values import Props, annotate, plain
from flowflare.engine.wire import read_struct, write_struct

D1 = "cloudflare:index/d1Database:D1Database"


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self) -> None:
        self.config: dict[str, Any] = {}

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version="6.23.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        given = {key: plain(value) for key, value in read_struct(request.args).items()}
        # As the real one: what the configuration does not say, the environment does.
        known = {"baseUrl": "CLOUDFLARE_BASE_URL", "apiToken": "CLOUDFLARE_API_TOKEN"}
        found = {key: os.environ[name] for key, name in known.items() if name in os.environ}
        self.config = found | given
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=False)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        old = Existing(request.id, _plain(request.old_inputs), _plain(request.olds))
        diff = self._handler(request.urn).diff(old, _plain(request.news))
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if diff.changes else response.DIFF_NONE,
            replaces=diff.replaces,
            deleteBeforeReplace=diff.delete_before_replace,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        new, inputs = _plain(request.properties), read_struct(request.properties)
        try:
            if type_of(request.urn) == D1:
                id_, outputs = self._post_database(new)
            else:
                made = self._handler(request.urn).create(new)
                id_, outputs = made.id, made.outputs
        except Exception as error:  # noqa: BLE001 -- the CLI shows it
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        struct = write_struct(annotate(outputs, inputs))
        return provider_pb2.CreateResponse(id=id_, properties=struct)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        old = Existing(request.id, _plain(request.old_inputs), _plain(request.olds))
        outputs = self._handler(request.urn).update(old, _plain(request.news))
        struct = write_struct(annotate(outputs, read_struct(request.news)))
        return provider_pb2.UpdateResponse(properties=struct)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        outputs = _plain(request.properties)
        self._handler(request.urn).delete(Existing(request.id, outputs, outputs))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _handler(self, urn: str) -> Any:
        return KINDS[type_of(urn)](Access(self.config, {}))

    def _post_database(self, new: Props) -> tuple[str, Props]:
        """Asks twice where no answer comes; what the second answer says is what is reported."""
        address = f"{self.config['baseUrl']}/accounts/{new['accountId']}/d1/database"
        headers = {"Authorization": f"Bearer {self.config['apiToken']}"}
        try:
            answer = httpx.post(address, json={"name": new["name"]}, headers=headers)
        except httpx.TransportError:
            answer = httpx.post(address, json={"name": new["name"]}, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"failed to make http request: {answer.status_code} {answer.text}")
        result = answer.json()["result"]
        return result["uuid"], {**new, "uuid": result["uuid"], "version": result["version"]}


def _plain(struct: Any) -> Props:
    return {key: plain(value) for key, value in read_struct(struct).items()}


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
