"""Compare a stack's state with the account, with calls that only read.

`compare.compare_with_account` is the entry point. Each resource kind compares itself
(`kinds/*/drift.py`); `kinds.account` makes the calls, and reads each list once for all stacks.
"""
