"""Declare what the service and every client have: a script with its URL, crons and addresses."""

from collections.abc import Callable

import pulumi

from flowflare.kinds.cloudflare import WorkersScript
from flowflare.kinds.cron_cleanup.declare import CronCleanup
from flowflare.kinds.workers_cron_trigger.declare import declare_crons
from flowflare.kinds.workers_custom_domain.declare import declare_domain
from flowflare.kinds.workers_dev_url.declare import WorkersDevUrl
from flowflare.kinds.workers_route.declare import declare_route
from flowflare.kinds.workers_script.declare import make_upload
from flowflare.kinds.workers_script_subdomain.declare import declare_subdomain
from flowflare.model.worker import WorkerSpec
from flowflare.render.worker import RenderedWorker


class WorkerComponent(pulumi.ComponentResource):
    """The component of a Worker, whose parts have names that begin with its own.

    Args:
        is_protected: whether the resource with a name must not be deleted.

    Attributes:
        url: its URL; None if it has none.
    """

    script: WorkersScript
    url: pulumi.Output[str | None]

    def __init__(  # noqa: PLR0913 -- what both components need
        self,
        type_: str,
        name: str,
        *,
        account_id: str,
        worker: WorkerSpec,
        rendered: RenderedWorker,
        is_protected: Callable[[str], bool],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(type_, name, {}, opts)
        self._name, self._account_id, self._worker = name, account_id, worker
        self._is_protected = is_protected
        self._upload = make_upload(
            account_id, worker, rendered.main_module, rendered.content, rendered.modules
        )

    def _declare_url(self) -> pulumi.Output[str | None]:
        """Declare the subdomain of the script and return the URL; None if it is switched off."""
        options = self._options(self.script)
        subdomain = declare_subdomain(self._name, self._account_id, self._worker, options)
        if not self._worker.workers_dev:
            return pulumi.Output.from_input(None)
        name, script_name = f"{self._name}-url", self._worker.script_name
        return WorkersDevUrl(name, self._account_id, script_name, self._options(subdomain)).url

    def _declare_crons(self) -> None:
        """Declare the cron triggers, and a cleanup that clears them when both are removed.

        The cleanup is declared first, so that it is deleted last: after a run killed between the
        two deletions, state still records that there are triggers to clear. A Worker without
        `crons` has neither, and keeps triggers that were set elsewhere.
        """
        crons, script_name = self._worker.crons, self._worker.script_name
        if crons is None:
            return
        before: list[pulumi.Resource] = [self.script]
        if crons:
            name, options = f"{self._name}-cron-cleanup", self._options(self.script)
            before.append(CronCleanup(name, self._account_id, script_name, options))
        options = self._options(*before)
        declare_crons(f"{self._name}-crons", self._account_id, script_name, crons, options)

    def declare_addresses(self, name: str, parent: pulumi.Resource) -> None:
        """Declare the routes and custom domains.

        Args:
            name: the first part of the resources' names.
        """
        options = pulumi.ResourceOptions(parent=parent, depends_on=[self.script])
        script_name = self._worker.script_name
        for route in self._worker.routes:
            declare_route(name, route, script_name, options)
        for domain in self._worker.domains:
            declare_domain(name, self._account_id, domain, script_name, options)

    def _options(
        self, *depends_on: pulumi.Resource, protected: str | None = None
    ) -> pulumi.ResourceOptions:
        """Make the options of a part; `protected` is its name if it holds data."""
        protect = protected is not None and self._is_protected(protected)
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(depends_on), protect=protect or None
        )
