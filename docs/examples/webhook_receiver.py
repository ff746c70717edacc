"""Receives webhooks of the sidecar: checks the signature, and passes over what came before.

``WEBHOOK_SECRET=… python webhook_receiver.py`` listens on port 9000. It needs aiohttp alone.
"""

import base64
import hmac
import json
import os
import time
from collections import OrderedDict

from aiohttp import web

TOLERANCE = 300
"""Seconds that a delivery's clock may differ from ours."""


def is_signed(secret: str, delivery: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether a sender that knows ``secret`` signed ``body`` within the last five minutes."""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    text = secret.removeprefix("whsec_")
    key = base64.b64decode(text) if secret.startswith("whsec_") else secret.encode()
    signed = b".".join((delivery.encode(), timestamp.encode(), body))
    wanted = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    return any(hmac.compare_digest(wanted, one.encode()) for one in signatures.split())


def receiver(secret: str, seen: OrderedDict[str, None]) -> web.Application:
    """An application that takes deliveries; ``seen`` are the ids of those that came."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        delivery = headers.get("webhook-id", "")
        timestamp, signature = headers.get("webhook-timestamp"), headers.get("webhook-signature")
        if not is_signed(secret, delivery, timestamp or "", signature or "", body):
            return web.Response(status=401)
        if delivery not in seen:  # A delivery may come more than once.
            event = json.loads(body)
            print(event["time"], event["room"], event["event"], event.get("label", ""))
            seen[delivery] = None
            while len(seen) > 10_000:
                seen.popitem(last=False)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", receive)
    return app


if __name__ == "__main__":
    web.run_app(receiver(os.environ["WEBHOOK_SECRET"], OrderedDict()), port=9000)
