-- Lists that 0001 has no index for: the runs that are not finished, which the search for stuck ones
-- reads, and the workflows of one name or of all, newest first.

CREATE INDEX workflow_runs_open ON workflow_runs (created_at, id) WHERE completed_at IS NULL;
CREATE INDEX workflow_newest ON workflow (created_at, id);
CREATE INDEX workflow_of_name ON workflow (name, created_at, id);
