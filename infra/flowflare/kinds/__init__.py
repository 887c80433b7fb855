"""What a stack can be made of: one folder for each kind of resource, one file for each verb.

`contract.py` says what a kind answers, `registry.py` lists the kinds, and each folder's `__init__`
names what its files answer. Importing them loads none of those files: `load_apply` and the other
functions of the contract do, so a preview imports neither `pulumi_cloudflare` nor the API's client.
"""
