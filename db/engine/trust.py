"""Telling a database whose certificate or encryption does not fit from one that is away: waiting mends only the latter."""

from __future__ import annotations

import re

#: What libpq (fe-connect.c, fe-secure-openssl.c) and the server say, and what helps. There are no codes for it.
_FAULTS = (
    (r"does not match host name", "write the host in PARAGONE_DATABASE_URL as the certificate has it, or issue one for this name"),
    (
        r"root certificate file .* does not exist",
        "name the file of the authority that signed the server's: ?sslmode=verify-full&sslrootcert=FILE",
    ),
    (r"could not read root certificate file", "sslrootcert must name certificates in PEM form"),
    (r"certificate has expired", "renew it, and check the clock of this host"),
    (
        r"certificate verify failed",
        "name the file of the authority that signed it by sslrootcert=FILE in PARAGONE_DATABASE_URL, or renew it if it has expired",
    ),
    (r"server does not support SSL", "switch it on there (ssl = on), or write sslmode=disable if nothing is to be encrypted"),
    (r"no pg_hba\.conf entry .* no encryption", "the server wants encryption: ?sslmode=verify-full&sslrootcert=FILE"),
    (r"requires a valid client certificate", "name its files by sslcert and sslkey in PARAGONE_DATABASE_URL"),
    (r"(invalid sslmode value|weak sslmode)", "write disable, require, verify-ca or, best, verify-full"),
)


def trust_fault(said: str) -> str | None:
    """What helps, if what the driver said is about certificates or encryption."""
    return next((mend for pattern, mend in _FAULTS if re.search(pattern, said)), None)
