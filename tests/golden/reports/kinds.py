"""Kinds of change, each as the edits that a commit makes in the common project."""

from tests.golden.reports.recordings import Edit

PROJECT, PROD, CODE = "Pulumi.yaml", "Pulumi.prod.yaml", "src/orders.js"
SECOND = "migrations/orders/0002_more.sql"


def of_client(text: str) -> Edit:
    """Adds fields to the client."""
    return PROJECT, "        variables:\n", f"{text}        variables:\n"


def of_stack(text: str) -> Edit:
    """Adds keys to the stack's file."""
    return PROD, "config:\n", f"config:\n{text}"


SALT = f"encryptionsalt: v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:{'A' * 28}\n"
VARIABLE = "          CURRENCY: EUR\n"
SECRET = "          PAYMENT_KEY:\n            secure: v1:AAAAAAAAAAAAAAAA:" + "A" * 32 + "\n"
BUCKET = "          RECEIPTS:\n            type: r2_bucket\n            bucket_name: receipts\n"
WORKFLOW = "          order-processing:\n            className: OrderWorkflow\n"
DATABASE = (
    "        databases:\n"
    "          ORDERS_DB: { migrations: migrations/orders, locationHint: weur }\n"
)
STEP = "            newSqliteClasses: [Cart]\n"
SHIPS = "export class ShipWorkflow extends WorkflowEntrypoint {}\n\nexport default {"
MAILS = """      mails:
        source: src/mails.js
"""

KINDS: dict[str, list[Edit]] = {
    "code_changed": [(CODE, "charge the card", "charge the customer")],
    "step_computed": [(CODE, '"charge the card"', "`charge ${order.card}`")],
    "variable_added": [(PROJECT, VARIABLE, VARIABLE + "          SHOP: north\n")],
    "variable_changed": [(PROJECT, "CURRENCY: EUR", "CURRENCY: USD")],
    "variable_removed": [(PROJECT, VARIABLE, "          COUNTRY: DE\n")],
    "secret_added": [(PROJECT, SECRET, SECRET + SECRET.replace("PAYMENT", "MAIL"))],
    "secret_rewritten": [(PROJECT, "v1:AAAA", "v1:BBBB")],
    "secret_removed": [(PROJECT, "        secrets:\n" + SECRET, "")],
    "binding_added": [
        (PROJECT, BUCKET, BUCKET + "          USAGE: { type: analytics_engine, dataset: usage }\n")
    ],
    "binding_changed": [(PROJECT, "bucket_name: receipts", "bucket_name: receipts-eu")],
    "binding_dropped": [(PROJECT, "        bindings:\n" + BUCKET, "")],
    "workflow_added": [
        (PROJECT, WORKFLOW, WORKFLOW + "          shipping: { className: ShipWorkflow }\n"),
        (CODE, "export default {", SHIPS),
    ],
    "workflow_removed": [(PROJECT, "        workflows:\n" + WORKFLOW, "")],
    "client_added": [
        (PROJECT, "      orders:\n", MAILS + "      orders:\n"),
        ("src/mails.js", "", 'export default { fetch: () => new Response("mails") };\n'),
    ],
    "sql_added": [(SECOND, "", "CREATE TABLE refunds (id TEXT PRIMARY KEY) STRICT;\n")],
    "sql_with_a_warning": [
        (SECOND, "", "CREATE TABLE items (order_id TEXT REFERENCES orders (id));\n")
    ],
    "sql_with_an_error": [(SECOND, "", "DROP TABLE orders;\n")],
    "sql_accepted": [
        (SECOND, "", "-- flowflare: accept drop-table: moved to refunds\nDROP TABLE orders;\n")
    ],
    "sql_edited": [("migrations/orders/0001_orders.sql", "total", "sum")],
    "database_renamed": [of_stack("  flowflare:names: { database: shop-tracking }\n")],
    "database_elsewhere": [(PROJECT, "locationHint: weur", "locationHint: enam")],
    "database_removed": [(PROJECT, DATABASE, "")],
    "class_added": [
        (PROJECT, STEP, STEP + "          - { tag: v2, newSqliteClasses: [Wishes] }\n"),
        (
            PROJECT,
            "className: Cart }",
            "className: Cart }\n          WISHES: { className: Wishes }",
        ),
        (
            CODE,
            "export default {",
            "export class Wishes extends DurableObject {}\n\nexport default {",
        ),
    ],
    "class_renamed": [
        (
            PROJECT,
            STEP,
            STEP + "          - { tag: v2, renamedClasses: [{ from: Cart, to: Basket }] }\n",
        ),
        (PROJECT, "className: Cart }", "className: Basket }"),
        (CODE, "class Cart", "class Basket"),
    ],
    "class_deleted": [
        (PROJECT, STEP, STEP + "          - { tag: v2, deletedClasses: [Cart] }\n"),
        (PROJECT, "        durableObjects:\n          CARTS: { className: Cart }\n", ""),
    ],
    "script_renamed": [of_stack("  flowflare:names: { clients: { orders: shop-orders } }\n")],
    "crons_set": [of_client("        crons: ['*/5 * * * *', '0 3 * * 1']\n")],
    "route_added": [
        of_client(
            "        routes:\n          - { pattern: 'shop.example/*', "
            "zoneId: 0123456789abcdef0123456789abcdef }\n"
        )
    ],
    "compatibility_date": [of_client("        compatibilityDate: '2026-10-01'\n")],
    "limits_and_placement": [
        of_client("        limits: { cpuMs: 50 }\n        placement: { mode: smart }\n")
    ],
    "observability": [of_stack("  flowflare:observability: true\n")],
    "allowed_origins": [of_stack("  flowflare:allowedOrigins: ['https://shop.example']\n")],
    "retention": [of_stack("  flowflare:retentionDays: 30\n")],
    "protection_lifted": [of_stack("  flowflare:protect: false\n")],
    "api_key_accepted": [of_stack("  flowflare:apiKeys: [2, 1]\n  flowflare:apiKeyInUse: 1\n")],
    "api_key_replaced": [of_stack("  flowflare:apiKeys: [2]\n  flowflare:apiKeyInUse: 2\n")],
    "stack_added": [("Pulumi.dev.yaml", "", f"{SALT}config:\n  flowflare:environment: dev\n")],
    "stacks_added": [
        (f"Pulumi.t{number}.yaml", "", f"{SALT}config:\n  flowflare:environment: t{number}\n")
        for number in range(1, 8)
    ],
    "stacks_differ": [
        (
            f"Pulumi.{name}.yaml",
            "",
            f"{SALT}config:\n  flowflare:environment: {name}\n  flowflare:retentionDays: {days}\n"
            f"  flowflare:allowedOrigins: ['https://{name}.example']\n"
            f"  flowflare:clientOverrides: {{orders: {{variables: {{CURRENCY: {currency}}}}}}}\n",
        )
        for name, days, currency in [("north", 30, "EUR"), ("south", 90, "EUR"), ("west", 1, "USD")]
    ],
    "head_not_recorded": [(PROJECT, "className: OrderWorkflow", "clasName: OrderWorkflow")],
    "own_resource": [
        (
            "__main__.py",
            "FlowflareStack.from_config()",
            "FlowflareStack.from_config()\npulumi.CustomResource('random:index:Id', 'id', "
            "{'byteLength': 8})",
        ),
        ("__main__.py", "from flowflare", "import pulumi\nfrom flowflare"),
    ],
}
