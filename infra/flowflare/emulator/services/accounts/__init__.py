"""Who is asking: user, accounts, memberships, the token."""
