"""The wrangler.jsonc files of a stack; the golden cases contain them in full."""

import json

from flowflare.config.load import load_stack
from flowflare.render.wrangler import render_wrangler_files


def test_the_database_is_filled_in_and_secrets_are_omitted() -> None:
    values = {"flowflare:accountId": "f" * 32}
    spec = load_stack(values, project="shop", stack="dev")
    [text] = render_wrangler_files(spec, database_id="1234").values()
    comments = [line for line in text.splitlines() if line.startswith("//")]
    assert comments[1] == "// Secret, not in this file: wrangler secret put SERVICE_API_KEY"
    config = json.loads("\n".join(line for line in text.splitlines() if line not in comments))
    assert config["d1_databases"] == [
        {"binding": "DB", "database_name": "dev-flowflare-db", "database_id": "1234"}
    ]
    assert config["migrations"] == [
        {"tag": "workflow-tracker-v1", "new_sqlite_classes": ["WorkflowTracker"]}
    ]
