"""Who may use a page of one command: this machine's browsers that opened an address of it."""

import hashlib
import hmac
import secrets
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config.errors import UnauthorizedError

_BYTES: Final = 24
"""Of each secret."""


class PageAccess:
    """Admits a browser by a code, which is void after its first use, and then by a cookie.

    A code is part of an address, which other users of this machine see in the browser's command
    line. The cookie holds another secret, and other sites can't send it. ``command`` is what prints
    the address.
    """

    def __init__(self, command: str = "sidecar dataset label") -> None:
        self._command = command
        self._secret = secrets.token_urlsafe(_BYTES)
        self._codes: set[str] = set()
        # Browsers share cookies between the ports of one host.
        self._cookie = f"sidecar_page_{hashlib.sha256(self._secret.encode()).hexdigest()[:12]}"

    def new_code(self) -> str:
        """A code that admits one browser."""
        code = secrets.token_urlsafe(_BYTES)
        self._codes.add(code)
        return code

    def middleware(self) -> Middleware:
        """Answers 401 to all who are not admitted, and takes codes at ``/?code=…``."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            given = request.query.get("code", "") if request.path == "/" else ""
            if given in self._codes:
                self._codes.remove(given)
                return self._welcome()
            if not request.path.startswith("/static/"):
                self._check(request)
            return _to_page() if given else await handler(request)

        return middleware

    def _welcome(self) -> web.Response:
        answer = _to_page()
        answer.set_cookie(self._cookie, self._secret, httponly=True, samesite="Strict")
        return answer

    def _check(self, request: web.Request) -> None:
        shown = request.cookies.get(self._cookie, "").encode(errors="replace")
        if not hmac.compare_digest(shown, self._secret.encode()):
            do = f"end {self._command}, run it again, and open the address that it prints"
            raise UnauthorizedError("an address of this page opens one browser, once", do=do)


def _to_page() -> web.Response:
    """A redirect that takes the code out of the browser's address."""
    return web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
