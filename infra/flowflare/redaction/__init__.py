"""Replace secrets in what a program logs, prints or raises.

* forms     the strings in which a secret can appear: as it is, escaped, encoded, line by line
* strings     the secret strings in a value that is marked as a secret
* redactor  the filter that replaces the secrets that it knows by `[secret]`
* run       the filter of this process's current run, and the run's errors
* passage   a filter for text that is written in pieces
* pipe      a filtered pipe for a file descriptor
* output    a program's standard output and standard error, passed through the filter
"""
