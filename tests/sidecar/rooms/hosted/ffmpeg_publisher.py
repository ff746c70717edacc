"""A process that publishes a grey H.264 camera by FFmpeg's WHIP muxer: ``URL PROFILE FOLDER``.

A process of its own, since PyAV holds the interpreter lock while FFmpeg negotiates. The certificate
is made in ``FOLDER``: FFmpeg with GnuTLS makes one on the curve P-224, which OpenSSL refuses.
"""

import datetime
import sys
import time
from pathlib import Path

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

RATE = 15
SECONDS = 20


def certificate(folder: Path) -> dict[str, str]:
    """The options of FFmpeg for a certificate on P-256, whose files are in ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    return {"cert_file": str(folder / "cert.pem"), "key_file": str(folder / "key.pem")}


def publish(url: str, profile: str, folder: str) -> None:
    """Send ``SECONDS`` of video in real time."""
    options = {"profile": profile, "preset": "ultrafast", "tune": "zerolatency", "g": "15"}
    files = certificate(Path(folder))
    with av.open(url, "w", format="whip", options=files) as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for tick in range(RATE * SECONDS):
            frame = av.VideoFrame.from_ndarray(np.full((270, 320), 90, np.uint8), format="yuv420p")
            frame.pts = tick
            container.mux(stream.encode(frame))
            time.sleep(1 / RATE)


if __name__ == "__main__":
    publish(*sys.argv[1:])
