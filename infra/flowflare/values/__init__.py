"""The data that the rooms pass to each other: property values, URNs, the steps and events of a run.

Nothing here runs a program, reads state or calls Cloudflare.
"""
