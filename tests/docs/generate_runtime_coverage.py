"""Generate reference/runtime-coverage.md: the tests of the runtime's API reference.

`steps::start_and_end_are_one_row` is a test in `tests/worker/test_steps.py`. A name without a file
is a test in the last named file. A test that does not exist is an error.
"""

import ast
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent.parent.parent
_WORKER = _ROOT / "tests/worker"

_INTRODUCTION = """\
# Where the runtime's API is tested

This page lists the entries of the API reference of `worker_src/flowflare` in order, each with its
tests in `tests/worker`. The tests run the code on workerd.
"""

_CORE = {
    "`createWorkflowService`, default export": "samples::the_service_sample_is_a_service",
    "option `allowedOrigins`": "access::a_listed_origin_may_call"
    " no_other_origin_may_call a_star_is_answered_as_a_star",
    "option `debug`": "list_costs::only_a_debugging_service_reports_its_costs",
    "export `WorkflowTracker`": "samples::the_service_sample_is_a_service"
    " feed::a_watcher_receives_the_latest_runs_first",
}
_CLIENT = {
    "`new WorkflowClient({serviceBinding, apiKey})`": "samples::"
    "the_client_sample_is_a_client client::a_wrong_key_is_reported",
    "`startWorkflow(...)`": "client::a_run_is_started_and_found_by_every_method"
    " only_the_type_is_required",
    "`workflowType`, registered automatically": "start::a_start_records_a_run_and_its_workflow",
    "`params`": "start::params_and_references_reach_the_workflow"
    " run_updates::the_first_params_are_kept",
    "`ref_id`, `ref_type`": "start::params_and_references_reach_the_workflow"
    " references_are_optional",
    "`metadata`": "start::a_start_records_a_run_and_its_workflow lists::filters_narrow_a_list",
    "`getWorkflow(workflowId)`": "client::a_run_is_started_and_found_by_every_method"
    " lists::a_run_is_found_by_its_id",
    "`listWorkflows(options)`": "client::a_run_is_started_and_found_by_every_method"
    " lists::filters_narrow_a_list cursors_visit_every_run_once",
    "`getWorkflowsByRef(options)`": "client::a_run_is_started_and_found_by_every_method"
    " lists::runs_are_found_by_reference",
}
_TRACKING = {
    "`trackStep(...)`": "samples::the_tracking_sample_tracks_with_a_text_for_an_id"
    " the_tracking_sample_runs_with_the_real_step"
    " track_step::whatever_a_step_returns_is_recorded",
    "`updateWorkflowInstance(data, env)`": "transports::updates_arrive_over_every_transport"
    " run_updates::a_run_sleeps_wakes_and_completes",
    "`updateWorkflowStep(data, env)`": "transports::updates_arrive_over_every_transport"
    " steps::start_and_end_are_one_row",
    "`recordStepRetry(data, env)`": "transports::updates_arrive_over_every_transport"
    " steps::a_retry_is_one_row_for_each_attempt",
}
_COLUMNS = "schema::a_table_has_its_documented_columns"
_WORKFLOW = {
    "every column, and the key": _COLUMNS,
    "`name`, `ref_id`, `ref_type` are unique together": "schema::"
    "name_and_reference_together_are_unique run_updates::absent_references_are_unique_too",
    "`status`, `output_result`, `updated_at`, `completed_at` of the latest run": "run_updates::"
    "a_run_sleeps_wakes_and_completes an_older_run_never_changes_the_workflow",
    "`input_params`, never modified": "run_updates::the_first_params_are_kept",
    "`metadata`": "run_updates::json_columns_take_text_or_values",
    "`last_run_id`, `created_at`": "start::a_start_records_a_run_and_its_workflow"
    " a_new_run_takes_over_its_workflow",
    "`runs_count`": "start::concurrent_starts_are_counted_exactly"
    " run_updates::an_unknown_run_is_registered_and_counted",
}
_RUNS = {
    "every column, and the key": _COLUMNS,
    "`id`, which is also the instance's ID": "start::params_and_references_reach_the_workflow",
    "`workflow_id`": "schema::a_row_belongs_to_one_that_exists"
    " start::a_start_records_a_run_and_its_workflow",
    "`status`": "run_updates::a_run_sleeps_wakes_and_completes"
    " cloudflares_states_read_as_ours an_update_after_the_end_changes_nothing",
    "`ref_id`, `ref_type`": "start::a_start_records_a_run_and_its_workflow",
    "`input_params`, `output_result`, `metadata`": "run_updates::json_columns_take_text_or_values",
    "`created_at`, `updated_at`, `completed_at`": "run_updates::"
    "a_run_sleeps_wakes_and_completes a_repeated_end_keeps_its_time",
    "`sleep_until`": "run_updates::a_run_sleeps_wakes_and_completes",
}
_STEPS = {
    "every column, and the key": _COLUMNS,
    "`workflow_run_id`": "schema::a_row_belongs_to_one_that_exists"
    " steps::a_step_that_comes_first_registers_its_run",
    "`step_name`, `step_index`": "steps::concurrent_reports_are_one_row",
    "`status`": "steps::start_and_end_are_one_row a_completed_step_stays_completed"
    " a_failed_step_may_be_attempted_once_more",
    "`state`": "steps::start_and_end_are_one_row an_oversize_state_becomes_its_size",
    "`started_at`, `completed_at`": "steps::start_and_end_are_one_row",
}
_RETRIES = {
    "every column, and the key": _COLUMNS,
    "`workflow_step_id`": "schema::a_row_belongs_to_one_that_exists"
    " steps::a_retry_finds_its_step_by_id_or_place",
    "`retry_count`, `retry_at`, `last_error`": "steps::a_retry_is_one_row_for_each_attempt",
    "`created_at`": _COLUMNS,
}
_DESCRIBED = "pairs/openapi::described_requests_are_accepted other_requests_are_refused"
_ENDPOINTS = {
    "`POST /api/workflows/update`": "run_updates::many_updates_are_one_request"
    f" nothing_of_a_bad_request_is_written {_DESCRIBED}",
    "`POST /api/workflows/query`": f"lists::a_query_answers_in_its_own_form {_DESCRIBED}",
    "`POST /service/start-workflow`": "start::a_start_records_a_run_and_its_workflow"
    f" a_repeated_start_starts_once {_DESCRIBED}",
    "`POST /service/get-workflow`": "lists::a_run_is_found_by_its_id"
    f" an_unknown_id_is_not_found {_DESCRIBED}",
    "`POST /service/list-workflows`": "lists::a_list_is_newest_first"
    f" the_limit_is_clamped {_DESCRIBED}",
    "`POST /service/get-workflows-by-ref`": "lists::runs_are_found_by_reference"
    f" finding_by_reference_requires_a_reference {_DESCRIBED}",
    "`GET /api/tracker-websocket`": "feed::a_watcher_receives_the_latest_runs_first"
    " every_change_is_sent_with_its_stored_row watchers_survive_hibernation",
}
_ERRORS = {
    "retry count and next retry time": "track_step::attempts_continue_the_last_count",
    "exponential and linear backoff": "track_step::"
    "an_error_is_recorded_annotated_and_rethrown a_delay_beyond_the_calendar_is_a_year",
    "errors in the database": "track_step::an_error_is_recorded_annotated_and_rethrown",
    "retry information on errors": "track_step::"
    "an_error_is_recorded_annotated_and_rethrown an_error_that_is_final_is_not_retried"
    " a_frozen_error_is_thrown_unchanged",
    "the example": "samples::the_tracking_sample_tracks_with_a_text_for_an_id"
    " the_tracking_sample_runs_with_the_real_step",
}
_SETUP = {
    "`SERVICE_API_KEY`": "access::every_route_needs_the_key"
    " a_service_without_a_key_refuses_all_calls",
    "`WORKFLOW_TRACKER` of the service": "feed::a_watcher_receives_the_latest_runs_first",
    "`WORKFLOW_TRACKER` of clients, with `script_name`": "transports::"
    "updates_arrive_over_every_transport pairs/released::steps_are_tracked_over_every_transport",
}
_BEYOND = {
    "hostile requests to every route": "fuzz::hostile_requests"
    " hostile_messages_to_the_feed hostile_updates_of_a_bound_worker",
    "a client of the previous release, and its service": "pairs/released::"
    "a_run_is_started_got_and_listed a_run_is_updated_over_every_transport",
    "TypeScript": "pairs/typescript::a_typescript_client_is_type_checked_strictly"
    " a_typescript_client_runs every_documented_specifier_has_code_and_types",
    "`GET /openapi.json`": f"pairs/openapi::every_route_is_described {_DESCRIBED}",
}

_SECTIONS = {
    "Workflow service": _CORE,
    "Workflow client": _CLIENT,
    "Workflow tracking": _TRACKING,
    "Table `workflow`": _WORKFLOW,
    "Table `workflow_runs`": _RUNS,
    "Table `workflow_steps`": _STEPS,
    "Table `workflow_step_retries`": _RETRIES,
    "API endpoints": _ENDPOINTS,
    "Error handling": _ERRORS,
    "Environment variables, Durable Objects": _SETUP,
    "Beyond the reference": _BEYOND,
}


def runtime_coverage_page() -> str:
    """Return the Markdown text of docs/reference/runtime-coverage.md.

    Raises:
        LookupError: a test does not exist.
    """
    return _INTRODUCTION + "".join(
        f"\n## {title}\n\n| entry | tests |\n|---|---|\n"
        + "".join(f"| {entry} | {_format_tests(tests)} |\n" for entry, tests in entries.items())
        for title, entries in _SECTIONS.items()
    )


def _format_tests(tests: str) -> str:
    """Format the files of tests, each followed by its tests; `file::` begins a file."""
    shown = []
    opened = None
    for word in tests.split():
        file, separator, test = word.rpartition("::")
        if separator:
            folder, slash, name = file.rpartition("/")
            opened = _WORKER / f"{folder}{slash}test_{name}.py"
            shown.append(f"{opened.relative_to(_ROOT)}:")
        if opened is None or f"test_{test}" not in _tests_in(opened):
            message = f"{opened} has no test_{test}"
            raise LookupError(message)
        shown.append(f"`{test}`")
    return " ".join(shown)


@cache
def _tests_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
