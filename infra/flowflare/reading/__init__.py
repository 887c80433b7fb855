"""Reading what a user, a project or another program wrote: bounded, and refused by name.

* boundary   the repository or workspace that a project's files must be in
* files      regular files of a limited size: a FIFO, a socket or a device is refused
* json_text  JSON of limited depth, without what only Python reads
"""
