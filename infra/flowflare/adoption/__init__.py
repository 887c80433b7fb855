"""Takes over an account where Flowflare was installed by hand."""
