"""The data that the packages share: property values, URNs, and the steps and events of a run.

This package does not run programs, read state or call Cloudflare.
"""
