"""The schema of a client's static assets in the configuration."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from flowflare.model.written import BindingName, Folder, Written, refusal

_MOST_RULES: Final = 100


def _check_rules(value: Any) -> Any:
    """Refuse path rules that Cloudflare refuses (wrangler's `parseStaticRouting`)."""
    if isinstance(value, bool):
        return value
    for rule in value:
        if not rule.startswith(("/", "!/")) or len(rule) > _MOST_RULES:
            remedy = "Begin it with `/` or `!/`, with at most 100 characters: /api/*"
            raise refusal(f"has {rule!r}, which is not a path", remedy)
    if all(rule.startswith("!") for rule in value) or len(value) > _MOST_RULES:
        remedy = "Name at most 100 paths, at least one of them without `!`."
        raise refusal("does not say for which paths the Worker runs first", remedy)
    return value


class AssetsConfig(Written):
    """Files that Cloudflare serves for a client, before its code runs."""

    directory: Folder = Field(
        description="Folder with the files, relative to the project's folder, for example `public` "
        "or what a build writes."
    )
    binding: BindingName | None = Field(
        default=None, description="Name under which the code can fetch the files."
    )
    html_handling: Literal[
        "auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"
    ] = Field(
        default="auto-trailing-slash",
        description="Which paths answer with an HTML file, and which redirect to it.",
    )
    not_found_handling: Literal["none", "404-page", "single-page-application"] = Field(
        default="none",
        description="What answers if there is no such file: the Worker (`none`), the nearest "
        "`404.html`, or `/index.html`.",
    )
    run_worker_first: Annotated[bool | list[str], AfterValidator(_check_rules)] = Field(
        default=False,
        description="Whether the Worker answers before the files: always, never, or for a list of "
        "paths such as `/api/*` and `!/api/docs/*`.",
    )

    def to_wire(self) -> dict[str, Any]:
        """Return how the files are served, as the API and wrangler spell it."""
        return self.model_dump(include={"html_handling", "not_found_handling", "run_worker_first"})
