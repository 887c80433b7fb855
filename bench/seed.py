"""Fill a database with runs by SQL, as many as a list measurement needs."""

from bench.workerd import Running

ROWS_A_STATEMENT = 50_000
SEEDED_TYPE = "type-3"
SEEDED_REF = "order-3"

# Runs are one second apart, of 10 types, in all four statuses, five for each reference. IDs grow
# with time as the service's own do. Run n of a million is the same as run n of a thousand.
_RUNS = """
WITH RECURSIVE number (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number WHERE n < {last})
INSERT INTO workflow_runs (id, workflow_id, workflow_name, status, ref_id, ref_type, input_params,
                           output_result, metadata, created_at, updated_at)
SELECT printf('01900000-%04x-7%03x-8000-000000000000', n / 4096, n % 4096), 1 + n % 10,
  'type-' || (n % 10), CASE n % 8 WHEN 0 THEN 'Running' WHEN 1 THEN 'Sleeping' WHEN 2 THEN 'Errored'
  ELSE 'Completed' END, 'order-' || (n / 5), 'order', '{{"order_id":"o-' || n || '","items":3}}',
  '{{"shipped":true}}', '{{"tenant":"t-' || (n % 100) || '"}}',
  strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + n, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + n, 'unixepoch')
FROM number"""

_WORKFLOWS = """
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 9)
INSERT INTO workflow (id, name, runs_count) SELECT n + 1, 'type-' || n, 1 FROM number"""


def seed(services: Running, service: str, runs: int) -> None:
    """Insert runs into a service's database, which has none yet.

    Raises:
        RuntimeError: a statement failed.
    """
    services.sql(service, _WORKFLOWS)
    for first in range(0, runs, ROWS_A_STATEMENT):
        last = min(first + ROWS_A_STATEMENT, runs) - 1
        services.sql(service, _RUNS.format(first=first, last=last))
