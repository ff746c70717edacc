"""mediamtx on loopback: WHIP in, WHEP and RTSP out, of any path."""

from pathlib import Path
from typing import Final

from tests.servers.find import need
from tests.servers.process import LOOPBACK, ServerProcess, free_ports

_CONFIGURATION: Final = """\
logLevel: info
api: no
rtmp: no
hls: no
srt: no
moq: no
rtspAddress: {host}:{rtsp}
rtspTransports: [tcp]
webrtcAddress: {host}:{http}
webrtcLocalUDPAddress: {host}:{udp}
webrtcIPsFromInterfaces: no
webrtcAdditionalHosts: [{host}]
{more}
"""
_OPEN: Final = "paths: {all_others: {}}"
_GUARDED: Final = """\
authInternalUsers:
- user: {user}
  pass: {password}
  permissions: [{{action: publish}}, {{action: read}}]
paths: {{all_others: {{}}}}
"""


class Mediamtx(ServerProcess):
    """mediamtx with its configuration and log in ``folder``.

    With a token (``user:password``) it serves those alone who show it.
    """

    def __init__(self, folder: Path, *, token: str = "") -> None:
        rtsp, http, udp = free_ports(3)
        user, _, password = token.partition(":")
        more = _GUARDED.format(user=user, password=password) if token else _OPEN
        file = folder / "mediamtx.yml"
        file.write_text(
            _CONFIGURATION.format(host=LOOPBACK, rtsp=rtsp, http=http, udp=udp, more=more)
        )
        super().__init__([need("mediamtx"), file], http, folder / "mediamtx.log")
        self._rtsp = rtsp

    def http(self, path: str) -> str:
        """``http://…/path``; WHIP and WHEP are ``/whip`` and ``/whep`` below a stream's path."""
        return f"http://{LOOPBACK}:{self.port}/{path}"

    def rtsp(self, path: str) -> str:
        """``rtsp://…/path``."""
        return f"rtsp://{LOOPBACK}:{self._rtsp}/{path}"
