"""Compare the steps of two versions of a Workflow, without running the code."""
