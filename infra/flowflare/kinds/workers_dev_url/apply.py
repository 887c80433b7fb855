"""Provider of a script's workers.dev URL."""

from pulumi.dynamic import CreateResult, ReadResult

from flowflare.errors import ApiError
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    keep_outputs,
    make_gone_result,
    script_id,
)


class WorkersDevUrlProvider(CloudflareProvider):
    """The workers.dev URL of a script, which no resource of Cloudflare's provider has."""

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def create(self, props: Props) -> CreateResult:
        """Read the URL.

        Raises:
            ApiError: the script does not exist, or is not enabled at workers.dev.
        """
        outputs = {name: props[name] for name in self.identity}
        return CreateResult(script_id(props), outputs | {"url": self._url(props)})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Read the URL again; a script that does not exist has none."""
        try:
            return ReadResult(id_, keep_outputs(props) | {"url": self._url(props)})
        except ApiError as error:
            if error.status == 404:
                return make_gone_result()
            raise

    def _url(self, props: Props) -> str:
        account, script = props["account_id"], props["script_name"]
        path = f"/accounts/{account}/workers/scripts/{script}/subdomain"
        answer = self.api().call("GET", path)
        if not answer.get("enabled"):
            # Status 404, so that `read` reports it as gone.
            raise ApiError(f"{script}: it is not enabled at workers.dev", status=404)
        if answer.get("url"):
            return str(answer["url"])
        subdomain = self.api().call("GET", f"/accounts/{account}/workers/subdomain")
        return f"https://{script}.{subdomain['subdomain']}.workers.dev"
