"""Find which client uploads, for `last_deployed_from`."""

from starlette.requests import Request


def client_of(request: Request) -> str:
    """Return `wrangler` or `api`."""
    agent = request.headers.get("user-agent", "")
    return "wrangler" if "wrangler" in agent else "api"
