"""What is wrong with an encrypted connection, in a few words: the cause and its mend."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# OpenSSL's X509_V_ERR_... codes (openssl-verification-options(1)), which the `ssl` module gives as `verify_code`.
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}
#: OpenSSL's reasons for an answer that is no TLS.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, however libraries have wrapped it."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def certificate_fault(error: BaseException, *, authority: str, unencrypted: str) -> str | None:
    """What is wrong with the server's certificate or the encryption, and what helps; None if the error has another cause.

    Args:
        error: what a client library raised.
        authority: the setting that names the file of a private authority.
        unencrypted: how the URL begins where nothing is encrypted.
    """
    # The innermost: aiohttp wraps it in an error that calls itself one, too, but knows no code.
    fault = next((found for found in reversed(list(causes(error))) if isinstance(found, ssl.SSLError)), None)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return _certificate(fault, authority)
    reason = (getattr(fault, "reason", None) or "").upper()
    if reason in _NO_TLS:
        return f"the server speaks no TLS at that port: correct the port, or write {unencrypted} if nothing is to be encrypted"
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "the server asks for a client's certificate: name its files (ssl_certfile, ssl_keyfile)"
    return None


def _certificate(fault: ssl.SSLCertVerificationError, authority: str) -> str:
    if fault.verify_code in _UNKNOWN_AUTHORITY:
        return f"its certificate is signed by an authority that this host does not know: name the right one's file in {authority}"
    if fault.verify_code in _OTHER_HOST:
        said = fault.verify_message.rstrip(".").lower()
        return f"its certificate is for another host ({said}): write the host as the certificate has it, or issue one for this name"
    if fault.verify_code == _EXPIRED:
        return "its certificate has expired: renew it, and check the clock of this host"
    if fault.verify_code == _NOT_YET_VALID:
        return "its certificate is not valid yet: check the clock of this host"
    return f"its certificate is not accepted ({fault.verify_message}): have it issued again"
