"""Register the URL of a script at workers.dev."""

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.workers_dev_url.apply import WorkersDevUrlProvider


class WorkersDevUrl(Resource, module="flowflare", name="WorkersDevUrl"):
    """The URL, without a trailing slash, of a script whose subdomain is enabled."""

    url: pulumi.Output[str]

    def __init__(
        self, name: str, account_id: str, script_name: str, opts: pulumi.ResourceOptions
    ) -> None:
        props = {"account_id": account_id, "script_name": script_name, "url": None}
        super().__init__(WorkersDevUrlProvider(), name, props, opts)
