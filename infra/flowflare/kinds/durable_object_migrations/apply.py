"""Provider of the Durable Object history of a script."""

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from flowflare.kinds.durable_object_migrations.class_rollout import ScriptUpload, bring_up
from flowflare.kinds.durable_object_migrations.data_loss import (
    ALLOWED,
    find_class_loss,
    find_stranded_objects,
)
from flowflare.kinds.live_script import read_tag
from flowflare.kinds.module_parts import make_module_parts
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    keep_outputs,
    make_gone_result,
    script_id,
)
from flowflare.model.class_migrations import find_history_problem, from_wire


class DurableObjectMigrationsProvider(CloudflareProvider):
    """The Durable Object history of a script; only the script's deletion deletes the classes."""

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuse a history that changes applied steps or loses objects."""
        if self._replaces(olds, news):
            problem = find_stranded_objects(olds, news)
            return CheckResult(news, [CheckFailure("script_name", problem)] if problem else [])
        problem = find_history_problem(from_wire(olds["history"]), from_wire(news["history"]))
        problem = problem or find_class_loss(olds, news)
        return CheckResult(news, [CheckFailure("history", problem)] if problem else [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the history's last tag with the tag in state; ignore changed code."""
        replaces = self._replaces(olds, news)
        history = news.get("history") or [{}]
        changes = bool(replaces) or history[-1].get("tag") != olds.get("migration_tag")
        return DiffResult(changes=changes, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """Return the outputs before the operation: the whole history will be applied."""
        tag = (news.get("history") or [{}])[-1].get("tag")
        return {name: news.get(name) for name in self.identity} | {"migration_tag": tag}

    def create(self, props: Props) -> CreateResult:
        """Upload the script with its whole history, or finish the work of a killed run.

        Raises:
            ClassMigrationError: a script that this stack did not create has the name.
        """
        tag = bring_up(self.api(), _make_upload(props), made_by_us=False)
        return CreateResult(script_id(props), self._outputs(props, tag))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Apply the steps after the live tag; keep all bindings.

        Raises:
            ClassMigrationError: the live tag is not in the history.
        """
        tag = bring_up(self.api(), _make_upload(news), made_by_us=True)
        return UpdateResult(self._outputs(news, tag))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the live tag."""
        tag = read_tag(self.api(), props["account_id"], props["script_name"])
        return (
            make_gone_result()
            if tag is None
            else ReadResult(id_, keep_outputs(props) | {"migration_tag": tag})
        )

    def _outputs(self, props: Props, tag: str) -> Props:
        return {name: props[name] for name in self.identity} | {"migration_tag": tag}


def _make_upload(props: Props) -> ScriptUpload:
    return ScriptUpload(
        account_id=props["account_id"],
        script_name=props["script_name"],
        bindings=tuple(props["bindings"]),
        main_module=props["main_module"],
        modules=tuple(make_module_parts(props)),
        compatibility_date=props["compatibility_date"],
        compatibility_flags=tuple(props.get("compatibility_flags") or ()),
        history=from_wire(props["history"]),
        scripts=tuple(props.get("scripts") or ()),
        taken=props.get("taken") or {},
        allow_data_loss=props.get(ALLOWED),
    )
