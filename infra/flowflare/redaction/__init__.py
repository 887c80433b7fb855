"""Replacing secrets in what a program logs, prints or raises.

* forms     the texts in which a secret can appear: as it is, escaped, encoded, line by line
* texts     the secret texts in a value that is marked as a secret
* redactor  the filter that replaces the secrets that it knows by `[secret]`
* run       the filter of the run of this process that is under way, and the run's errors
* passage   a filter for text that is written in pieces
* pipe      a descriptor, led through a pipe that is filtered
* output    a program's standard output and standard error, passed through the filter
"""
