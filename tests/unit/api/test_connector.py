"""A client of a URL without TLS trusts no certificate."""

import ssl

from flowflare.api.connector import _verification


def test_certificates_are_verified_with_tls() -> None:
    assert _verification("https://api.cloudflare.com/client/v4") is True


def test_a_client_without_tls_trusts_no_certificate() -> None:
    """A redirect to a URL with TLS fails instead of continuing unverified."""
    context = _verification("http://127.0.0.1:8780/client/v4")
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.get_ca_certs() == []
