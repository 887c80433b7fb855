"""Hold the rules of Workers: those of scripts, and Workers that have no deployed version yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.services.scripts.script import Export, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.scripts.upload import Metadata, Upload, validate_metadata
from flowflare.emulator.services.scripts.validation import refuse_name
from flowflare.emulator.services.versions.deployments import DeploymentsStore
from flowflare.emulator.services.workers.settings import Settings, apply_settings

_PATCHED = ("compatibility_date", "compatibility_flags", "limits", "placement", "usage_model")


class WorkersStore(Store):
    """Store the Workers of all accounts: the rows of scripts.

    Args:
        database: the emulator's file.
    """

    def __init__(
        self, database: Database, scripts: ScriptsStore, deployments: DeploymentsStore
    ) -> None:
        super().__init__(database)
        self.scripts = scripts
        self._deployments = deployments

    def list_workers(self, account: str) -> list[Script]:
        """List the Workers of an account, by name."""
        return self.scripts.scripts.list_scripts(account)

    def get(self, account: str, identity: str) -> Script:
        """Return the Worker of that name or ID. Refusal: 10007."""
        row = self._database.row(
            "SELECT name FROM scripts WHERE account = ?1 AND (name = ?2 OR tag = ?2) "
            "ORDER BY name = ?2 DESC",
            *(account, identity),
        )
        return self.scripts.get(account, row["name"] if row else identity)

    def create(self, account: str, given: Settings, client: str) -> Script:
        """Create a Worker without a version.

        Raises:
            Refusal: 10016 an invalid name, or 10001 without a name or with one that is taken (our
                reading).
        """
        if given.name is None:
            raise codes.invalid_body("`name` is required.")
        refuse_name(given.name)
        with self._database.transaction():
            if self.scripts.scripts.find(account, given.name):
                raise codes.worker_exists(given.name)
            time = now()
            bare = Script(
                account=account,
                name=given.name,
                tag=plain_id(),
                etag="",
                created_on=time,
                modified_on=time,
                main="",
                service_worker=False,
                metadata=Metadata().settings(),
                bindings=(),
                exports=(),
                version_id=hyphened_id(),
                number=0,
                deployed_from=client,
                migration_tag=None,
                enabled=False,
                previews=False,
            )
            worker = apply_settings(bare, given, keep=False)
            self.scripts.scripts.save(worker)
        return worker

    def change(self, account: str, identity: str, given: Settings, *, keep: bool) -> Script:
        """Change settings of a Worker, without a new version.

        Args:
            keep: whether members that are not given stay.

        Raises:
            Refusal: 10007; 10001 for another name, because the emulator does not rename.
        """
        with self._database.transaction():
            worker = self.get(account, identity)
            if given.name not in (None, worker.name):
                raise codes.invalid_body("The emulator cannot rename a Worker.")
            changed = apply_settings(worker, given, keep=keep)
            self.scripts.scripts.save(changed)
        return changed

    def add_version(
        self,
        account: str,
        identity: str,
        upload: Upload,
        exports: Sequence[Export],
        *,
        deploy: bool,
    ) -> Script:
        """Save a version, and deploy it if asked. Refusal: 10007 or a code of uploads."""
        with self._database.transaction():
            name = self.get(account, identity).name
            version = self.scripts.put_version(account, name, upload, exports)
            if deploy:
                share = {"version_id": version.version_id, "percentage": 100}
                self._deployments.create(account, name, {"versions": [share]}, upload.deployed_from)
        return version

    def versions(self, account: str, identity: str) -> list[Script]:
        """List the versions of a Worker, newest first. Refusal: 10007."""
        return self.scripts.scripts.versions(self.get(account, identity))

    def version(self, account: str, identity: str, version: str) -> Script:
        """Return a version by its ID, or the `latest`. Refusal: 10007, 100146."""
        if version == "latest":
            return self._latest(account, identity)
        return self.scripts.version(account, self.get(account, identity).name, version)

    def patch_latest(
        self, account: str, identity: str, patch: Mapping[str, Any], client: str
    ) -> Script:
        """Save a copy of the latest version with a JSON merge patch applied; it is not live.

        Args:
            patch: `env` (bindings by name; null removes), `annotations`, and settings.

        Raises:
            Refusal: 10007, 10222 there is no version, 10001 a member that cannot be patched here,
                or a code of bindings.
        """
        unknown = sorted(set(patch) - {"env", "annotations", *_PATCHED})
        if unknown:
            raise codes.invalid_body(f"The emulator cannot patch `{unknown[0]}` of a version.")
        env = patch.get("env") or {}
        if not isinstance(env, dict) or not all(
            value is None or isinstance(value, dict) for value in env.values()
        ):
            raise codes.invalid_body("`env` must be a mapping of bindings.")
        annotations = patch.get("annotations") or {}
        if not isinstance(annotations, dict):
            raise codes.invalid_body("`annotations` must be an object.")
        given = {key: patch[key] for key in _PATCHED if patch.get(key) is not None}
        validate_metadata(given, part="body")
        with self._database.transaction():
            latest = self._latest(account, identity)
            bound = {str(binding["name"]): binding for binding in latest.bindings}
            for name, value in env.items():
                if value is None:
                    bound.pop(name, None)
                else:
                    bound[name] = {**value, "name": name}
            settings = {**given, "annotations": annotations}
            return self.scripts.edit_version(latest, list(bound.values()), settings, client)

    def delete_version(self, account: str, identity: str, version: str) -> None:
        """Delete a version.

        Raises:
            Refusal: 10007, 100146; 10001 while the version is deployed (our reading).
        """
        with self._database.transaction():
            found = self.version(account, identity, version)
            deployments = self._deployments.list_deployments(account, found.name)
            active = deployments[0]["versions"] if deployments else []
            if found.version_id in {share["version_id"] for share in active}:
                raise codes.version_deployed(found.version_id)
            self.scripts.scripts.delete_version(found)

    def deployed_on(self, worker: Script) -> str | None:
        """Return when the active deployment was created; None if there is none."""
        deployments = self._deployments.list_deployments(worker.account, worker.name)
        return str(deployments[0]["created_on"]) if deployments else None

    def references(self, worker: Script) -> dict[str, list[dict[str, str]]]:
        """List what refers to a Worker: Workers, domains, queues."""
        account, name = worker.account, worker.name
        found = self.scripts.references(account, name)
        ledger = self.scripts.ledger(account, [name])
        users = {other for other, _ in found.services}
        objects = {(other, class_name) for other, _, class_name in found.objects}
        domains = self._database.rows(
            "SELECT domains.*, zones.name AS zone_name FROM domains "
            "JOIN zones ON zones.id = domains.zone WHERE domains.account = ? AND script = ? "
            "ORDER BY hostname",
            *(account, name),
        )
        queues = self._database.rows(
            "SELECT consumers.id, consumers.queue, targets.name FROM consumers "
            "JOIN targets ON targets.account = consumers.account AND targets.kind = 'queue' "
            "AND targets.id = consumers.queue "
            "WHERE consumers.account = ? AND consumers.script = ? ORDER BY targets.name",
            *(account, name),
        )
        return {
            "dispatch_namespace_outbounds": [],
            "domains": [
                {
                    "id": row["id"],
                    "certificate_id": row["certificate"],
                    "hostname": row["hostname"],
                    "zone_id": row["zone"],
                    "zone_name": row["zone_name"],
                }
                for row in domains
            ],
            "durable_objects": [
                {
                    "namespace_id": ledger[name, class_name].id,
                    "namespace_name": f"{name}_{class_name}",
                    "worker_id": self.get(account, other).tag,
                    "worker_name": other,
                }
                for other, class_name in sorted(objects)
                if (name, class_name) in ledger
            ],
            "queues": [
                {
                    "queue_consumer_id": row["id"],
                    "queue_id": row["queue"],
                    "queue_name": row["name"],
                }
                for row in queues
            ],
            "workers": [
                {"id": self.get(account, other).tag, "name": other} for other in sorted(users)
            ],
        }

    def _latest(self, account: str, identity: str) -> Script:
        versions = self.versions(account, identity)
        if not versions:
            raise codes.no_versions()
        return versions[0]
