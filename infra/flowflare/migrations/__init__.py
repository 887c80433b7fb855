"""D1 migrations: ordered SQL files, the ledger of what a database has had, applying the rest."""
