"""The tables and columns that the API reference documents."""

import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd

COLUMNS = {
    "workflow": "id name status input_params output_result metadata last_run_id ref_id ref_type"
    " runs_count created_at updated_at completed_at",
    "workflow_runs": "id workflow_id status ref_id ref_type input_params output_result metadata"
    " created_at updated_at completed_at sleep_until",
    "workflow_steps": "id workflow_run_id step_name status step_index state started_at"
    " completed_at",
    "workflow_step_retries": "id workflow_step_id retry_count retry_at last_error created_at",
}
NUMBERS = {"workflow_id", "runs_count", "step_index", "workflow_step_id", "retry_count"}


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_its_documented_columns(probe: Probe, table: str) -> None:
    found = probe.sql("SELECT name, type, pk FROM pragma_table_info(?)", table)

    types = {column["name"]: column["type"] for column in found}
    documented = COLUMNS[table].split()
    assert [name for name in types if name in documented] == documented
    number_key = {"id"} if table != "workflow_runs" else set()
    wanted = {name: "INTEGER" if name in NUMBERS | number_key else "TEXT" for name in documented}
    assert {name: types[name] for name in documented} == wanted
    assert [column["name"] for column in found if column["pk"]] == ["id"]


@pytest.mark.parametrize("table", ["workflow_runs", "workflow_steps", "workflow_step_retries"])
def test_a_row_belongs_to_one_that_exists(probe: Probe, table: str) -> None:
    owners = {
        "workflow_runs": ("workflow_id", "workflow"),
        "workflow_steps": ("workflow_run_id", "workflow_runs"),
        "workflow_step_retries": ("workflow_step_id", "workflow_steps"),
    }
    keys = probe.sql('SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', table)

    column, owner = owners[table]
    assert keys == [{"from": column, "table": owner, "to": "id"}]


def test_name_and_reference_together_are_unique(service: Api, probe: Probe, fresh: str) -> None:
    for ref_id in ("1", "2", "2", None, None):
        service.start(fresh, ref_id=ref_id, ref_type="order")

    found = probe.sql("SELECT ref_id, runs_count FROM workflow WHERE name = ? ORDER BY id", fresh)
    assert [tuple(row.values()) for row in found] == [("1", 1), ("2", 2), (None, 2)]
