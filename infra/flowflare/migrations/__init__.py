"""D1 migration files and the ledger of what was applied."""
