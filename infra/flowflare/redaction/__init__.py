"""Replacing secrets in what a program logs, prints or raises.

* forms     the texts in which a secret can appear: as it is, escaped, encoded, line by line
* redactor  the secrets that a run knows, and the one filter that replaces them by `[secret]`
* output    a program's standard output and standard error, passed through that filter
"""
