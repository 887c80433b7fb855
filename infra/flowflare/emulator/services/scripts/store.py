"""Hold the rules of scripts: what uploads change, what is refused, what a deletion removes."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now, plain_id
from flowflare.emulator.database import Database
from flowflare.emulator.envelope import Refusal
from flowflare.emulator.services.accounts.store import AccountsStore
from flowflare.emulator.services.assets.store import AssetsStore
from flowflare.emulator.services.scripts import bindings as rules
from flowflare.emulator.services.scripts.classes import (
    Ledger,
    Namespace,
    UploadedClasses,
    forward_binding,
    migrate,
    refuse_lost_classes,
)
from flowflare.emulator.services.scripts.in_use import (
    References,
    refuse_deletion,
    refuse_missing_handler,
)
from flowflare.emulator.services.scripts.script import Binding, Export, Script, Scripts
from flowflare.emulator.services.scripts.upload import Upload
from flowflare.emulator.services.targets.store import read_bound_targets


class ScriptsStore:
    """Store the scripts of all accounts.

    Args:
        database: the emulator's file.
        accounts: the settings of accounts.
    """

    def __init__(self, database: Database, accounts: AccountsStore) -> None:
        self._database = database
        self._accounts = accounts
        self._assets = AssetsStore(database)
        self.scripts = Scripts(database)

    def get(self, account: str, name: str) -> Script:
        """Return the script of that name. Refusal: 10007."""
        script = self.scripts.find(account, name)
        if script is None:
            raise codes.script_not_found()
        return script

    def put(
        self, account: str, name: str, upload: Upload, exports: Sequence[Export]
    ) -> tuple[Script, tuple[str, ...]]:
        """Create or replace a script, in one transaction.

        Args:
            exports: the code's exports, as workerd reported them.

        Returns:
            the script, and the IDs of the Durable Object namespaces that its migrations deleted.

        Raises:
            Refusal: any of the codes of uploads.
        """
        with self._database.transaction():
            script = self._draft(account, name, upload, exports)
            before = self.ledger(account)
            after = self._migrate(script, upload, before)
            self._check(script, after)
            if upload.metadata.migrations and upload.metadata.migrations.new_tag:
                script = replace(script, migration_tag=upload.metadata.migrations.new_tag)
            self._save_ledger(account, before, after)
            self._forward(script, before, after)
            self.scripts.save(script, upload.modules)
        remaining = {namespace.id for namespace in after.values()}
        return script, tuple(item.id for item in before.values() if item.id not in remaining)

    def put_version(
        self, account: str, name: str, upload: Upload, exports: Sequence[Export]
    ) -> Script:
        """Save an upload as a version that is not live.

        Raises:
            Refusal: 10007 unknown script, 10211 with class migrations, or any of the codes of
                uploads.
        """
        with self._database.transaction():
            live = self.get(account, name)
            if upload.metadata.migrations is not None:
                raise codes.version_with_migration()
            script = self._draft(account, name, upload, exports).with_script_settings_of(live)
            self._check(script, self.ledger(account))
            self.scripts.save_version(script, upload.modules)
        return script

    def edit_version(
        self,
        version: Script,
        bindings: Sequence[Binding],
        settings: Mapping[str, Any],
        deployed_from: str,
    ) -> Script:
        """Save a copy of a version with other bindings and settings, which is not live.

        Raises:
            Refusal: a code of bindings and classes.
        """
        with self._database.transaction():
            number = self.scripts.next_number(version.account, version.name)
            metadata = {**version.metadata, **settings}
            bound = sorted(bindings, key=lambda binding: str(binding["name"]))
            edited = replace(version, metadata=metadata, deployed_from=deployed_from)
            edited = edited.with_bindings(bound, number)
            self._check(edited, self.ledger(version.account))
            self.scripts.save_version(edited)
        return edited

    def version(self, account: str, name: str, identity: str) -> Script:
        """Return a version of a script by its ID.

        Raises:
            Refusal: 10007 unknown script, 100146 unknown version.
        """
        versions = self.scripts.versions(self.get(account, name))
        matching = [version for version in versions if version.version_id == identity]
        if not matching:
            raise codes.version_not_found()
        return matching[0]

    def deploy(self, account: str, name: str, identity: str) -> Script:
        """Make a saved version the live version; the script's own settings do not change.

        Raises:
            Refusal: 10007, 100146, or a code of bindings and classes.
        """
        with self._database.transaction():
            live = self.get(account, name)
            script = self.version(account, name, identity).with_script_settings_of(live)
            self._check(script, self.ledger(account))
            self.scripts.save(script)
        return script

    def delete(self, account: str, name: str, *, force: bool) -> tuple[str, ...]:
        """Delete a script with its Durable Objects.

        With `force`, other scripts' bindings to it are removed too.

        Returns:
            the IDs of its Durable Object namespaces.

        Raises:
            Refusal: 10007, 10142 while other scripts are bound to it, or 10064 while it consumes a
                queue.
        """
        with self._database.transaction():
            script = self.get(account, name)
            references = self.references(account, name)
            if not force:
                refuse_deletion(script, references, self._database)
            self._unbind(account, references)
            self.scripts.delete(script)
            deleted = tuple(item.id for item in self.ledger(account, [name]).values())
            self._database.run(
                "DELETE FROM namespaces WHERE account = ? AND script = ?", account, name
            )
        return deleted

    def references(self, account: str, name: str) -> References:
        """Find the other scripts that are bound to a script."""
        services, objects = [], []
        for other in self.scripts.list_mentions(account, name):
            for binding in other.bindings if other.name != name else ():
                if binding["type"] == "service" and binding.get("service") == name:
                    services.append((other.name, str(binding["name"])))
                elif _is_object_of(binding, name):
                    objects.append((other.name, str(binding["name"]), str(binding["class_name"])))
        return References(tuple(services), tuple(objects))

    def edit(
        self,
        account: str,
        name: str,
        bindings: Sequence[Binding],
        refused: Refusal,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> Script:
        """Create a new live version of the same code.

        Args:
            refused: the error if a newer version is not deployed yet.
            settings: the settings that change.

        Raises:
            Refusal: 10007, `refused`, or a code of bindings.
        """
        with self._database.transaction():
            script = self.get(account, name)
            if self.scripts.next_number(account, name) - 1 > script.number:
                raise refused
            rules.check(bindings, self._surroundings(script, self.ledger(account)))
            edited = replace(script, metadata={**script.metadata, **settings})
            return self._change(edited, sorted(bindings, key=lambda binding: str(binding["name"])))

    def change_settings(self, account: str, name: str, settings: dict[str, Any]) -> Script:
        """Change settings and, if the settings contain bindings, all bindings.

        Raises:
            Refusal: 10007, 10214 a newer version is not deployed yet, or a code of bindings.
        """
        bound: Sequence[Binding] = self.get(account, name).bindings
        if "bindings" in settings:
            bound = rules.resolve(settings.pop("bindings"), bound, (), strict=True)
        return self.edit(account, name, bound, codes.settings_edit_refused(), settings)

    def change_script_settings(self, account: str, name: str, changes: Mapping[str, Any]) -> Script:
        """Change settings that belong to the script. This makes no version and no deployment.

        wrangler changes them after every `versions deploy`, also after a partial deployment
        (workers-sdk#5366, workers-sdk#7091). A value of None removes a setting.

        Raises:
            Refusal: 10007.
        """
        with self._database.transaction():
            live = self.get(account, name)
            metadata = {**live.metadata, **changes}
            kept = {key: value for key, value in metadata.items() if value is not None}
            script = replace(live, metadata=kept)
            self.scripts.save(script)
        return script

    def ledger(
        self, account: str, scripts: Collection[str] | None = None
    ) -> dict[tuple[str, str], Namespace]:
        """Return Durable Object namespaces by (script, class), of the account or some scripts."""
        sql = "SELECT * FROM namespaces WHERE account = ?"
        if scripts is None:
            rows = self._database.rows(f"{sql} ORDER BY script, class", account)
        else:
            rows = [
                row
                for script in sorted(scripts)
                for row in self._database.rows(
                    f"{sql} AND script = ? ORDER BY class", account, script
                )
            ]
        return {
            (row["script"], row["class"]): Namespace(
                row["id"], row["script"], row["class"], bool(row["use_sqlite"])
            )
            for row in rows
        }

    def _draft(self, account: str, name: str, upload: Upload, exports: Sequence[Export]) -> Script:
        """Build the script that an upload would create, with its bindings resolved.

        Raises:
            Refusal: a code of bindings.
        """
        live = self.scripts.find(account, name)
        metadata = upload.metadata
        previous = live.bindings if live else ()
        bound = rules.resolve(
            metadata.bindings, previous, metadata.keep_bindings, strict=upload.strict
        )
        time = now()
        digest = hashlib.sha256()
        for module in upload.modules:
            for part in (module.name.encode(), module.content_type.encode(), module.content):
                digest.update(len(part).to_bytes(8) + part)
        return Script(
            account=account,
            name=name,
            tag=live.tag if live else plain_id(),
            etag=digest.hexdigest(),
            created_on=live.created_on if live else time,
            modified_on=time,
            main=upload.modules[0].name,
            service_worker=upload.service_worker,
            metadata=metadata.settings() | self._assets.attach(account, metadata, live),
            bindings=tuple(bound),
            exports=tuple(exports),
            version_id=hyphened_id(),
            number=self.scripts.next_number(account, name),
            deployed_from=upload.deployed_from,
            migration_tag=live.migration_tag if live else None,
            enabled=live.enabled if live else False,
            previews=live.previews if live else False,
        )

    def _change(self, script: Script, bindings: Sequence[Binding]) -> Script:
        number = self.scripts.next_number(script.account, script.name)
        changed = script.with_bindings(bindings, number)
        self.scripts.save(changed)
        return changed

    def _check(self, script: Script, ledger: Ledger) -> None:
        refuse_lost_classes(ledger, script.name, script.classes())
        rules.check(script.bindings, self._surroundings(script, ledger))
        refuse_missing_handler(script, self._database)

    def _migrate(
        self, script: Script, upload: Upload, ledger: Ledger
    ) -> dict[tuple[str, str], Namespace]:
        if upload.metadata.migrations is None:
            return dict(ledger)
        references = self.references(script.account, script.name)
        live = self.scripts.find(script.account, script.name)
        bound = live.bindings if live else ()
        target = UploadedClasses(
            script=script.name,
            exported=frozenset(script.object_classes()),
            bound=frozenset(class_name for class_name, _ in _objects(script.bindings, script.name)),
            bound_before=frozenset(
                name for name, host in _objects(bound, script.name) if host == script.name
            ),
            bound_elsewhere=frozenset(name for _, _, name in references.objects),
        )
        rule = self._accounts.key_value_rule(script.account)
        return migrate(ledger, target, script.migration_tag, upload.metadata.migrations, rule)

    def _forward(self, script: Script, before: Ledger, after: Ledger) -> None:
        """Update other scripts' bindings to classes that were renamed or moved."""
        account = script.account
        now = {item.id: item for item in after.values()}
        hosts = {item.script for item in before.values() if now.get(item.id, item) != item}
        mentions = (self.scripts.list_mentions(account, host) for host in hosts)
        affected = {other.name: other for scripts in mentions for other in scripts}
        for other in affected.values():
            bound = tuple(
                forward_binding(item, other.name, before, after) for item in other.bindings
            )
            if other.name != script.name and bound != other.bindings:
                self.scripts.save(replace(other, bindings=bound))

    def _surroundings(self, script: Script, ledger: Ledger) -> rules.Surroundings:
        account = script.account
        rows = self._database.rows("SELECT * FROM targets WHERE account = ?", account)
        targets = read_bound_targets(rows)
        return rules.Surroundings(
            script=script.name,
            scripts=self._names("SELECT name FROM scripts WHERE account = ?", account)
            | {script.name},
            databases=self._names("SELECT uuid FROM databases WHERE account = ?", account),
            workflows=self._names("SELECT name FROM workflows WHERE account = ?", account),
            ledger=ledger,
            exported=script.classes(),
            targets=targets.keys(),
            not_bindable={name for name, is_bindable in targets.items() if not is_bindable},
        )

    def _names(self, sql: str, account: str) -> set[str]:
        return {row[0] for row in self._database.rows(sql, account)}

    def _save_ledger(self, account: str, before: Ledger, after: Ledger) -> None:
        for deleted in set(before.values()) - set(after.values()):
            self._database.run("DELETE FROM namespaces WHERE id = ?", deleted.id)
        for created in set(after.values()) - set(before.values()):
            self._database.run(
                "INSERT INTO namespaces VALUES (?, ?, ?, ?, ?)",
                created.id,
                account,
                created.script,
                created.class_name,
                created.use_sqlite,
            )

    def _unbind(self, account: str, references: References) -> None:
        removed: dict[str, set[str]] = {}
        for script, binding, *_ in (*references.services, *references.objects):
            removed.setdefault(script, set()).add(binding)
        for name, bindings in removed.items():
            other = self.get(account, name)
            left = [binding for binding in other.bindings if binding["name"] not in bindings]
            self._change(other, left)


def _objects(bindings: Sequence[Binding], script: str) -> list[tuple[str, str]]:
    """Return class and host of each Durable Object binding of a script."""
    return [
        (str(binding.get("class_name")), rules.owner(binding, script))
        for binding in bindings
        if binding["type"] == "durable_object_namespace"
    ]


def _is_object_of(binding: Binding, script: str) -> bool:
    return binding["type"] == "durable_object_namespace" and binding.get("script_name") == script
