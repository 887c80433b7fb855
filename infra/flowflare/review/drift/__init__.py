"""Compares a stack's state with the account, by calls that only read.

`compare.drift` is the way in. `workers`, `addresses`, `classes` and `databases` compare one kind of
thing each and hold no state; `account` makes the calls, each list once for all stacks.
"""
