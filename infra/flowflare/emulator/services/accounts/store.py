"""Store accounts' settings. Every ID of 32 hexadecimal digits is an account from the start."""

from typing import cast

from flowflare.emulator.database import Database, Store
from flowflare.emulator.services.scripts.classes import KeyValueRule

KEY_VALUE_RULES: tuple[KeyValueRule, ...] = ("allowed", "free", "closed")


_MOST_USED = 1_000
_WITH_ACCOUNT = """
SELECT schema.name FROM sqlite_schema AS schema, pragma_table_info(schema.name) AS field
WHERE schema.type = 'table' AND field.name = 'account'
"""


class AccountsStore(Store):
    """Read and write the settings of accounts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._used: dict[str, None] = {}

    def subdomain(self, account: str) -> str:
        """Return the account's workers.dev subdomain; every account has one from the start."""
        row = self._database.row("SELECT subdomain FROM accounts WHERE id = ?", account)
        return str(row["subdomain"]) if row else f"account-{account[:8]}"

    def set_subdomain(self, account: str, subdomain: str) -> None:
        """Set the account's workers.dev subdomain."""
        self._save(account, subdomain, self.key_value_rule(account))

    def key_value_rule(self, account: str) -> KeyValueRule:
        """Return whether the account may create key-value Durable Object classes."""
        row = self._database.row("SELECT key_value_classes FROM accounts WHERE id = ?", account)
        return cast(KeyValueRule, row["key_value_classes"]) if row else "allowed"

    def set_key_value_rule(self, account: str, rule: KeyValueRule) -> None:
        """Make the account a free one (10097) or a new one (10099), or allow key-value classes."""
        self._save(account, self.subdomain(account), rule)

    def note_use(self, account: str) -> None:
        """Remember that a call with a valid token named the account."""
        self._used[account] = None
        if len(self._used) > _MOST_USED:
            self._used.pop(next(iter(self._used)))

    def all(self) -> list[str]:
        """List every account that is in use or has resources, in the order of their IDs."""
        tables = [f'SELECT account FROM "{row[0]}"' for row in self._database.rows(_WITH_ACCOUNT)]  # noqa: S608
        stored = self._database.rows(" UNION ".join(["SELECT id FROM accounts", *tables]))
        return sorted({row[0] for row in stored if row[0]} | self._used.keys())

    def _save(self, account: str, subdomain: str, rule: KeyValueRule) -> None:
        self._database.run(
            "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "subdomain = excluded.subdomain, key_value_classes = excluded.key_value_classes",
            account,
            subdomain,
            rule,
        )
