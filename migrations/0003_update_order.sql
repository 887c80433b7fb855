-- The order number of the last update that changed a run or a step. Updates that arrive late, twice or
-- after a newer one have a lower number and change nothing. NULL where no update had a number.

ALTER TABLE workflow_runs ADD COLUMN last_order INTEGER;
ALTER TABLE workflow_steps ADD COLUMN last_order INTEGER;
