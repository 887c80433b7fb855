"""Which client uploads: what `last_deployed_from` will say."""

from starlette.requests import Request


def client_of(request: Request) -> str:
    """`wrangler` or `api`."""
    agent = request.headers.get("user-agent", "")
    return "wrangler" if "wrangler" in agent else "api"
