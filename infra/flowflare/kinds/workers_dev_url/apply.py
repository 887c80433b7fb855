"""Provider of a script's URL at workers.dev."""

from pulumi.dynamic import CreateResult, ReadResult

from flowflare.errors import ApiError
from flowflare.kinds.provider import (
    STORED_MODULE,
    CloudflareProvider,
    Props,
    gone,
    kept,
    script_id,
)


class WorkersDevUrlProvider(CloudflareProvider):
    """The URL of a script at workers.dev, which no resource of Cloudflare's provider has."""

    __module__ = STORED_MODULE

    identity = ("account_id", "script_name")

    def create(self, props: Props) -> CreateResult:
        """Asks for the URL.

        Raises:
            ApiError: the script is not there or not enabled at workers.dev.
        """
        outputs = {name: props[name] for name in self.identity}
        return CreateResult(script_id(props), outputs | {"url": self._url(props)})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Asks again; a script that is gone has none."""
        try:
            return ReadResult(id_, kept(props) | {"url": self._url(props)})
        except ApiError as error:
            if error.status == 404:
                return gone()
            raise

    def _url(self, props: Props) -> str:
        account, script = props["account_id"], props["script_name"]
        path = f"/accounts/{account}/workers/scripts/{script}/subdomain"
        answer = self.api().call("GET", path)
        if not answer.get("enabled"):
            # As good as not there: `read` says that it is gone.
            raise ApiError(f"{script}: it is not enabled at workers.dev", status=404)
        if answer.get("url"):
            return str(answer["url"])
        subdomain = self.api().call("GET", f"/accounts/{account}/workers/subdomain")
        return f"https://{script}.{subdomain['subdomain']}.workers.dev"
