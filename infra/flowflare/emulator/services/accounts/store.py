"""Store accounts' settings. Every ID of 32 hexadecimal digits is an account from the start."""

from typing import cast

from flowflare.emulator.database import Store
from flowflare.emulator.services.scripts.classes import KeyValueRule

KEY_VALUE_RULES: tuple[KeyValueRule, ...] = ("allowed", "free", "closed")


class AccountsStore(Store):
    """Read and write the settings of accounts."""

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

    def all(self) -> list[str]:
        """List every account that has resources, in the order of their IDs."""
        rows = self._database.rows(
            "SELECT id FROM accounts UNION SELECT account FROM databases "
            "UNION SELECT account FROM scripts UNION SELECT account FROM workflows"
        )
        return [row[0] for row in rows]

    def _save(self, account: str, subdomain: str, rule: KeyValueRule) -> None:
        self._database.run(
            "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "subdomain = excluded.subdomain, key_value_classes = excluded.key_value_classes",
            account,
            subdomain,
            rule,
        )
