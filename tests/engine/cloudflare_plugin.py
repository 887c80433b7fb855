"""Serve the embedded engine's Cloudflare calls to the Pulumi CLI, as a plugin of its protocol.

Tests cannot download Cloudflare's own plugin, so this fake replaces it, with a Cloudflare on
loopback. `plugin_rules.py` has what it stores in state, refuses and does not call, as recorded from
the real plugin. Like that plugin it does not resolve lost answers: it sends the request again and
reports the second answer.
"""

import os
import sys
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from flowflare.kinds.access import Access
from flowflare.kinds.contract import load_apply
from flowflare.kinds.handler import Existing
from flowflare.kinds.registry import find_kind
from flowflare.values.properties import Props, annotate, plain
from flowflare.values.urns import type_of
from flowflare.values.wire import read_struct, write_struct

sys.path.insert(0, str(Path(__file__).parents[2]))  # the CLI starts this file by its path
from tests.engine import plugin_rules as rules


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
        settings = {key: plain(value) for key, value in read_struct(request.args).items()}
        # As in the real plugin, the environment sets what the configuration does not.
        names = {"baseUrl": "CLOUDFLARE_BASE_URL", "apiToken": "CLOUDFLARE_API_TOKEN"}
        defaults = {key: os.environ[name] for key, name in names.items() if name in os.environ}
        self.config = defaults | settings
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=False)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs = rules.mark_secrets(read_struct(request.news))
        return provider_pb2.CheckResponse(inputs=write_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, new = self._existing(request, context), _plain(request.news)
        diff = self._handler(request.urn).diff(old, new)
        changes = diff.changes or self._resets_replication(request, old, new)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changes else response.DIFF_NONE,
            replaces=diff.replaces,
            deleteBeforeReplace=diff.delete_before_replace,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        new, type_ = _plain(request.properties), type_of(request.urn)

        def make() -> tuple[str, Props]:
            if type_ == rules.D1:
                return self._post_database(new)
            created = self._handler(request.urn).create(new)
            outputs = created.outputs
            if type_ == rules.SCRIPT:
                outputs = {"placement": {}, **outputs}
            return self._find_terraform_id(type_, created.id, outputs), outputs

        id_, outputs = rules.to_outputs(type_, *reversed(_call(context, make)))
        struct = write_struct(annotate(outputs, read_struct(request.properties)))
        return provider_pb2.CreateResponse(id=id_, properties=struct)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, outputs = type_of(request.urn), _plain(request.properties)
        terraform_id = _call(context, lambda: rules.read_state(type_, outputs))
        old = Existing(request.id, _plain(request.inputs), outputs)
        read = _call(context, lambda: self._handler(request.urn).read(old))
        if read is None:
            return provider_pb2.ReadResponse()
        attributes = read.outputs
        if type_ == rules.SCRIPT and not attributes.get("placement"):
            attributes = {key: value for key, value in attributes.items() if key != "placement"}
        id_, stored = rules.to_outputs(type_, attributes, terraform_id)
        struct = write_struct(annotate(stored, read_struct(request.properties)))
        return provider_pb2.ReadResponse(id=id_, properties=struct, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, new = self._existing(request, context), _plain(request.news)
        type_ = type_of(request.urn)

        def change() -> Props:
            if type_ == rules.D1:
                return {**old.outputs, **new, **self._put_database(old.id, new)}
            return dict(self._handler(request.urn).update(old, new))

        outputs = _call(context, change)
        if type_ == rules.SCRIPT:
            outputs = {"placement": {}, **outputs}
        stored = rules.to_outputs(type_, outputs, rules.read_state(type_, old.outputs))[1]
        struct = write_struct(annotate(stored, read_struct(request.news)))
        return provider_pb2.UpdateResponse(properties=struct)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_, outputs = type_of(request.urn), _plain(request.properties)
        _call(context, lambda: rules.read_state(type_, outputs))
        if type_ not in rules.DELETED_SILENTLY:
            old = Existing(request.id, outputs, outputs)
            _call(context, lambda: self._handler(request.urn).delete(old))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _existing(self, request: Any, context: Any) -> Existing:
        outputs = _plain(request.olds)
        _call(context, lambda: rules.read_state(type_of(request.urn), outputs))
        return Existing(request.id, _plain(request.old_inputs), outputs)

    def _handler(self, urn: str) -> Any:
        return load_apply(find_kind(type_of(urn)))(Access(self.config, {}))

    def _find_terraform_id(self, type_: str, id_: str, outputs: Props) -> str:
        return str(outputs["scriptName"]) if type_ == rules.SUBDOMAIN else id_

    def _resets_replication(self, request: Any, old: Existing, new: Props) -> bool:
        """Return whether it plans to reset a value that a refresh stored and no program sets."""
        known = old.outputs.get("readReplication") or {}
        is_set = "readReplication" in new or "readReplication" in list(request.ignoreChanges)
        return type_of(request.urn) == rules.D1 and bool(known) and not is_set

    def _post_database(self, new: Props) -> tuple[str, Props]:
        """Send the request again if no answer arrives, and report the second answer."""
        body = {"name": new["name"]}
        if "readReplication" in new:
            body["read_replication"] = new["readReplication"]
        try:
            answer = self._send("POST", new, "", body)
        except httpx.TransportError:
            answer = self._send("POST", new, "", body)
        # The real plugin leaves optional values empty if they are not set, whatever is answered.
        return answer["uuid"], {"readReplication": {}, **new, **_read_computed(answer)}

    def _put_database(self, id_: str, new: Props) -> Props:
        body = {"name": new["name"], "read_replication": new.get("readReplication")}
        return _read_computed(self._send("PUT", new, f"/{id_}", body))

    def _send(self, method: str, new: Props, path: str, body: Props) -> Any:
        address = f"{self.config['baseUrl']}/accounts/{new['accountId']}/d1/database{path}"
        headers = {"Authorization": f"Bearer {self.config['apiToken']}"}
        answer = httpx.request(method, address, json=body, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"failed to make http request: {answer.status_code} {answer.text}")
        return answer.json()["result"]


def _read_computed(answer: Any) -> Props:
    names = {
        "uuid": "uuid",
        "version": "version",
        "createdAt": "created_at",
        "fileSize": "file_size",
        "numTables": "num_tables",
    }
    return {key: answer[name] for key, name in names.items() if name in answer}


def _call(context: Any, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 -- the CLI shows it
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


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
