"""Make a certificate that this machine signs for itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

ELLIPTIC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
NAMES = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]


def make_certificate(folder: Path) -> Path:
    """Return the path of a PEM file with a certificate for 127.0.0.1 and its key; skip the test without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path, certificate = folder / "certificate.pem", folder / "only-the-certificate.pem"
    command = [openssl, "req", "-x509", *ELLIPTIC, *NAMES, "-days", "2", "-keyout", path, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + certificate.read_text())
    return path
