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
    class_loss_problem,
    stranded_problem,
)
from flowflare.kinds.live_script import read_tag
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    gone,
    kept,
    script_id,
)
from flowflare.model.class_migrations import find_history_problem, from_wire


class DurableObjectMigrationsProvider(CloudflareProvider):
    """The Durable Object history of a script; deletes nothing, the script's deletion does."""

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def check(self, olds: Props, news: Props) -> CheckResult:
        """Refuses a history that is not the old one with steps appended, or that loses objects."""
        if self._replaces(olds, news):
            problem = stranded_problem(olds, news)
            return CheckResult(news, [CheckFailure("script_name", problem)] if problem else [])
        problem = find_history_problem(from_wire(olds["history"]), from_wire(news["history"]))
        problem = problem or class_loss_problem(olds, news)
        return CheckResult(news, [CheckFailure("history", problem)] if problem else [])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compares the history's last tag with the one in state; the code alone changes nothing."""
        replaces = self._replaces(olds, news)
        history = news.get("history") or [{}]
        changes = bool(replaces) or history[-1].get("tag") != olds.get("migration_tag")
        return DiffResult(changes=changes, replaces=replaces)

    def foresee(self, news: Props) -> Props:
        """The outputs before anything is done: the whole history will be live."""
        tag = (news.get("history") or [{}])[-1].get("tag")
        return {name: news.get(name) for name in self.identity} | {"migration_tag": tag}

    def create(self, props: Props) -> CreateResult:
        """Uploads the script with its whole history, or finishes what a killed run began.

        Raises:
            ClassMigrationError: the name is taken by a script that this stack did not make.
        """
        tag = bring_up(self.api(), _upload(props), made_by_us=False)
        return CreateResult(script_id(props), self._outputs(props, tag))

    def update(self, _id: str, _olds: Props, news: Props) -> UpdateResult:
        """Applies the steps after the live tag and keeps every binding.

        Raises:
            ClassMigrationError: the live tag is not in the history.
        """
        tag = bring_up(self.api(), _upload(news), made_by_us=True)
        return UpdateResult(self._outputs(news, tag))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Reads the live tag."""
        tag = read_tag(self.api(), props["account_id"], props["script_name"])
        return gone() if tag is None else ReadResult(id_, kept(props) | {"migration_tag": tag})

    def _outputs(self, props: Props, tag: str) -> Props:
        return {name: props[name] for name in self.identity} | {"migration_tag": tag}


def _upload(props: Props) -> ScriptUpload:
    return ScriptUpload(
        account_id=props["account_id"],
        script_name=props["script_name"],
        bindings=tuple(props["bindings"]),
        main_module=props["main_module"],
        content=props["content"],
        compatibility_date=props["compatibility_date"],
        compatibility_flags=tuple(props.get("compatibility_flags") or ()),
        history=from_wire(props["history"]),
        scripts=tuple(props.get("scripts") or ()),
        taken=props.get("taken") or {},
        allow_data_loss=props.get(ALLOWED),
    )
