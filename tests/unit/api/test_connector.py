"""What a client of an address without TLS trusts: no certificate at all."""

import ssl

from flowflare.api.connector import _verification


def test_certificates_are_verified_wherever_there_is_tls() -> None:
    assert _verification("https://api.cloudflare.com/client/v4") is True


def test_an_address_without_tls_trusts_no_certificate() -> None:
    """It is told if it is led to one with TLS all the same: there is no going on unverified."""
    context = _verification("http://127.0.0.1:8780/client/v4")
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.get_ca_certs() == []
