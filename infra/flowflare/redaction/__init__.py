"""Hiding secrets in what a program logs, prints or raises.

* forms    how a secret can look in a text: as it is, escaped, encoded, line by line
* known    the secrets that this process knows, and the filter that replaces them by `[secret]`
* streams  standard output and standard error of a program, through that filter
"""
