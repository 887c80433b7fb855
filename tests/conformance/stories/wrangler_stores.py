"""wrangler works with D1, KV and R2."""

from tests.conformance.rows import Absent, Call, Client, Prints, Seen, Story, refuses, works
from tests.conformance.stories.workers import BUCKET, DATABASE, NAMESPACE, upload

_DB = (
    '{"name": "app", "d1_databases": [{"binding": "DB", "database_name": "db", '
    '"database_id": "{db}"}], "kv_namespaces": [{"binding": "KV", "id": "{kv}"}]}'
)
_MANY = "CREATE TABLE IF NOT EXISTS many (a);\n" + "INSERT INTO many VALUES (1);\n" * 2000
_ROWS = Call(
    "POST /d1/database/{db}/query", {"sql": "CREATE TABLE t (a); INSERT INTO t VALUES (42)"}
)
_KV = "/storage/kv/namespaces"

_D1 = Story(
    "D1 databases",
    Client.WRANGLER,
    (
        works("d1 create other", Seen("/d1/database", "*.name", "other", has=True)),
        refuses("d1 create other", 7502),
        works("d1 list", Prints("other")),
        works("d1 list --json", Prints('"name": "other"')),
        works("d1 info db --json", Prints("{db}")),
        works("d1 insights db", Prints("[")),
        works(
            "d1 execute db --remote -y --command 'SELECT a FROM t; SELECT a + 1 AS b FROM t'",
            Prints("43"),
        ),
        refuses("d1 execute db --remote -y --command 'SELECT nothing'", 7500),
        works(
            "d1 execute db --remote -y --file many.sql",
            Prints("file"),
            files={"many.sql": _MANY},
        ),
        works(
            "d1 execute db --remote -y --command 'SELECT count(*) AS n FROM many'", Prints("2000")
        ),
        works("d1 export db --remote --output all.sql", Prints("all.sql")),
        works("d1 export db --remote --no-data --table t --output t.sql", Prints("t.sql")),
        works("d1 migrations create db first", Prints("0001_first.sql")),
        works("d1 migrations list db --remote", Prints("0001_first.sql")),
        works(
            "d1 migrations apply db --remote",
            Prints("0001_first.sql"),
            files={"migrations/0001_first.sql": "CREATE TABLE u (a);"},
        ),
        works("d1 time-travel info db", Prints("bookmark")),
        works("d1 delete other -y", Seen("/d1/database", "*.name", ["db"])),
    ),
    files={"wrangler.json": _DB},
    prepare=(DATABASE, NAMESPACE, _ROWS),
)
_D1_QUICK = Story(
    "a query of D1",
    Client.WRANGLER,
    (works("d1 execute db --remote -y --command 'SELECT a FROM t'", Prints("42")),),
    files={"wrangler.json": _DB},
    prepare=(DATABASE, NAMESPACE, _ROWS),
)
_VALUES = Story(
    "KV",
    Client.WRANGLER,
    (
        works("kv namespace create other", Seen(_KV, "*.title", "other", has=True)),
        works("kv namespace list", Prints("{kv}")),
        works(
            "kv key put --namespace-id {kv} --remote k1 v1", Seen(_KV + "/{kv}/values/k1", "", "v1")
        ),
        works(
            "kv key put --namespace-id {kv} --remote k2 v2 --metadata '{\"m\":1}'",
            Seen(_KV + "/{kv}/metadata/k2", "m", 1),
        ),
        works("kv key get --namespace-id {kv} --remote --text k1", Prints("v1")),
        works("kv key list --namespace-id {kv} --remote", Prints('"name": "k2"')),
        works("kv key delete --namespace-id {kv} --remote k1", Absent(_KV + "/{kv}/values/k1")),
        refuses("kv key get --namespace-id {kv} --remote --text k1", 10009),
        works(
            "kv bulk put --namespace-id {kv} --remote b.json",
            Seen(_KV + "/{kv}/values/b1", "", "x"),
            files={"b.json": '[{"key": "b1", "value": "x"}]'},
        ),
        works(
            "kv bulk get --namespace-id {kv} --remote g.json",
            Prints("b1"),
            files={"g.json": '["b1"]'},
        ),
        works(
            "kv bulk delete --namespace-id {kv} --remote g.json --force",
            Absent(_KV + "/{kv}/values/b1"),
        ),
        works(
            "kv namespace rename --namespace-id {kv} --new-name new",
            Seen(_KV, "*.title", "new", has=True),
        ),
        works("kv namespace delete --namespace-id {kv} -y", Seen(_KV, "*.title", ["other"])),
    ),
    files={"wrangler.json": '{"name": "app"}'},
    prepare=(NAMESPACE,),
)
_OBJECTS = Story(
    "R2",
    Client.WRANGLER,
    (
        works(
            "r2 bucket create bbucket", Seen("/r2/buckets", "buckets.*.name", "bbucket", has=True)
        ),
        works("r2 bucket list", Prints("bbucket")),
        works("r2 bucket info abucket --json", Prints("abucket")),
        works(
            "r2 object put abucket/o.txt --file o.txt --remote",
            Prints("Upload complete"),
            files={"o.txt": "object\n"},
        ),
        works("r2 object get abucket/o.txt --pipe --remote", Prints("object")),
        refuses("r2 bucket delete abucket", 10008),
        works("r2 object delete abucket/o.txt --remote", Prints("Delete complete")),
        works(
            "r2 bucket lifecycle add abucket rule logs/ --expire-days 3 -y",
            Seen("/r2/buckets/abucket/lifecycle", "rules.*.id", "rule", has=True),
        ),
        works("r2 bucket lifecycle list abucket", Prints("rule")),
        works("r2 bucket lifecycle remove abucket --name rule", Prints("removed")),
        works(
            "r2 bucket cors set abucket --file cors.json -y",
            Seen("/r2/buckets/abucket/cors", "rules.0.allowed.methods", ["GET"]),
            files={"cors.json": '{"rules": [{"allowed": {"origins": ["*"], "methods": ["GET"]}}]}'},
        ),
        works("r2 bucket cors list abucket", Prints("GET")),
        works("r2 bucket cors delete abucket -y", Prints("deleted")),
        works(
            "r2 bucket update storage-class abucket -s InfrequentAccess",
            Seen("/r2/buckets/abucket", "storage_class", "InfrequentAccess"),
        ),
        works("r2 bucket dev-url get abucket", Prints("abucket")),
        works("r2 bucket domain list abucket", Prints("abucket")),
        works("r2 bucket notification list abucket", Prints("abucket")),
        works("r2 bucket lock list abucket", Prints("abucket")),
        works("r2 bucket sippy get abucket", Prints("abucket")),
        refuses("r2 bucket create abucket", 10004),
        refuses("r2 bucket delete missing", 10006),
        works("r2 bucket delete bbucket", Seen("/r2/buckets", "buckets.*.name", ["abucket"])),
    ),
    files={"wrangler.json": '{"name": "app"}'},
    prepare=(BUCKET,),
)
_TRAVEL = Story(
    "Time Travel",
    Client.WRANGLER,
    (
        works(
            "d1 time-travel restore db --bookmark {bookmark} --json",
            Prints("bookmark"),
        ),
        works("d1 execute db --remote -y --command 'SELECT a FROM t'", Prints("42")),
    ),
    files={"wrangler.json": _DB},
    prepare=(
        DATABASE,
        NAMESPACE,
        _ROWS,
        Call("GET /d1/database/{db}/time_travel/bookmark", save={"bookmark": "bookmark"}),
        Call("POST /d1/database/{db}/query", {"sql": "DELETE FROM t"}),
        upload("app"),
    ),
)
STORIES = (_D1, _D1_QUICK, _TRAVEL, _VALUES, _OBJECTS)
