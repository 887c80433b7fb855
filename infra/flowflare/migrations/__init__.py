"""D1 migrations: ordered SQL files, the ledger of applied files, and applying pending files."""
