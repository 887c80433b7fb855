"""Reads a plan for the people who must say yes to it: what changes, at what risk, at what price.

`review` makes a `Review` out of an engine's `Plan`, whichever engine made it; `document` and `text`
show one. Everything here is pure.
"""
