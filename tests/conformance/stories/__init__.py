"""The stories of the conformance table, by client."""

from tests.conformance.rows import Story
from tests.conformance.stories import (
    older_wranglers,
    python_scripts,
    python_stores,
    rules,
    typescript_sdk,
    wrangler_deploys,
    wrangler_others,
    wrangler_queues,
    wrangler_stores,
    wrangler_versions,
)

STORIES: tuple[Story, ...] = (
    *wrangler_deploys.STORIES,
    *wrangler_versions.STORIES,
    *wrangler_stores.STORIES,
    *wrangler_queues.STORIES,
    *wrangler_others.STORIES,
    *older_wranglers.STORIES,
    *python_scripts.STORIES,
    *python_stores.STORIES,
    *typescript_sdk.STORIES,
    *rules.STORIES,
)
