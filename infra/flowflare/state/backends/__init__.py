"""Objects under keys with conditional writes: a folder, or a bucket.

`store` defines the interface. `folder`, `s3`, `gs` and `azblob` each open the stores of one URL
scheme, and `registry` lists them. A store contains Pulumi's state and the records of a fleet.
"""
