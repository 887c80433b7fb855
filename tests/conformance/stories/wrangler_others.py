"""wrangler's commands for products beside Workers, D1, KV, R2, queues and Workflows."""

from tests.conformance.rows import Client, Prints, Seen, Story, works
from tests.conformance.stories.workers import HELLO, config, upload

_BINDING = [{"binding": "D", "namespace": "space"}]
_STORES = Story(
    "hyperdrive, vectorize, dispatch namespaces and the secrets store",
    Client.WRANGLER,
    (
        works(
            "hyperdrive create hd --connection-string postgres://u:p@db.example.com:5432/d",
            Seen("/hyperdrive/configs", "*.name", ["hd"]),
        ),
        works("hyperdrive list", Prints("hd")),
        works(
            "vectorize create vec --dimensions 3 --metric cosine",
            Seen("/vectorize/v2/indexes", "*.name", ["vec"]),
        ),
        works("vectorize list", Prints("vec")),
        works("vectorize get vec", Prints("vec")),
        works("vectorize info vec", Prints("vec")),
        works("vectorize delete vec --force", Seen("/vectorize/v2/indexes", "", [])),
        works(
            "dispatch-namespace create space",
            Seen("/workers/dispatch/namespaces", "*.namespace_name", ["space"]),
        ),
        works("dispatch-namespace list", Prints("space")),
        works("dispatch-namespace get space", Prints("space")),
        works(
            "deploy",
            files={"index.js": HELLO, "wrangler.json": config("app", dispatch_namespaces=_BINDING)},
        ),
        works("dispatch-namespace delete space", Seen("/workers/dispatch/namespaces", "", [])),
        works(
            "secrets-store store create store --remote",
            Seen("/secrets_store/stores", "*.name", ["store"]),
        ),
        works("secrets-store store list --remote", Prints("store")),
    ),
    files={"wrangler.json": '{"name": "app"}'},
)
_PRODUCTS = Story(
    "other products",
    Client.WRANGLER,
    (
        works("pages project list", Prints("Project")),
        works("pages project create site --production-branch main", Prints("site")),
        works("pipelines list", Prints("pipelines")),
        works("ai models", Prints("model")),
        works("ai finetune list", Prints("finetune")),
        works("cert list", Prints("cert")),
        works("mtls-certificate list", Prints("cert")),
        works("containers list", Prints("container")),
        works("email routing list", Prints("zone")),
    ),
    files={"index.js": HELLO, "wrangler.json": config("app")},
    prepare=(upload("app"),),
)
STORIES = (_STORES, _PRODUCTS)
