"""Answer who the caller is: user, accounts, memberships, the token."""
