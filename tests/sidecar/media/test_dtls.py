"""DTLS with peers whose certificates are of another kind than ours."""

import datetime

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from structlog.testing import capture_logs

from config.errors import NegotiationError
from sidecar.media.encoder import Encoder
from sidecar.media.peer import Peer, PeerOptions, PeerTimeouts
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer

pytestmark = pytest.mark.peers

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])


def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


class ForeignCertificate(RTCCertificate):
    """An RSA certificate, with the ciphers that its owner takes."""

    def __init__(self, key: rsa.RSAPrivateKey, ciphers: str) -> None:
        vars(self).update(_key=key, _cert=certificate(key))
        self._ciphers = ciphers

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(self._ciphers.encode())
        return context


KEY = rsa.generate_private_key(65537, 2048)
TIMEOUTS = PeerTimeouts(negotiation=20.0, connection=20.0)


def make_foreign(peer: Peer, ciphers: str) -> None:
    """Give a peer the certificate of another implementation."""
    private = vars(peer.connection)
    private["_RTCPeerConnection__certificates"] = [ForeignCertificate(KEY, ciphers)]


@pytest.mark.parametrize("we_offer", [False, True])
@pytest.mark.parametrize(
    "ciphers",
    ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-SHA"],
)
async def test_a_peer_with_an_rsa_certificate_connects(ciphers: str, we_offer: bool) -> None:
    # A client with an RSA certificate takes servers with ECDSA ones too, or it would not meet us.
    ciphers += ":ECDHE-ECDSA-AES128-GCM-SHA256" if we_offer else ""
    encoder = Encoder(320, 180)
    track = encoder.subscribe()
    async with (
        SendPeer(track, PeerOptions("composite", timeouts=TIMEOUTS)) as sender,
        ReceivePeer(PeerOptions("ada", timeouts=TIMEOUTS)) as receiver,
    ):
        make_foreign(receiver if we_offer else sender, ciphers)
        await sender.accept(await receiver.answer(await sender.offer()))
        await sender.wait_connected()
        await receiver.wait_connected()
    encoder.close()


async def test_a_handshake_that_fails_says_why() -> None:
    encoder = Encoder(320, 180)
    with capture_logs() as logs:
        async with (
            SendPeer(encoder.subscribe(), PeerOptions("composite", timeouts=TIMEOUTS)) as sender,
            ReceivePeer(PeerOptions("ada", timeouts=TIMEOUTS)) as receiver,
        ):
            make_foreign(sender, "ECDHE-RSA-AES256-SHA384")
            await sender.accept(await receiver.answer(await sender.offer()))
            with pytest.raises(NegotiationError, match=r"DTLS failed: .*(cipher|handshake|alert)"):
                await receiver.wait_connected()
    failure = next(entry for entry in logs if entry["event"] == "peer connection failed")
    assert failure["participant"] in {"ada", "composite"}
    assert "DTLS failed" in failure["reason"]
    encoder.close()
