"""One attempt of a delivery: a signed POST, its redirects, and what the answer means."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from config.errors import ConfigError, RefusedError
from sidecar.addresses import AddressRule, guarded_session
from sidecar.aio import Component
from sidecar.redaction import redact
from sidecar.sinks.webhook.outbox import Delivery
from sidecar.sinks.webhook.signature import signature_headers

REDIRECTS: Final = 3
"""Redirects of one attempt that are followed."""
LONGEST_ANSWER: Final = 4096
"""Bytes of an answer's body that are read, so that its connection can be used again."""
LONGEST_WAIT: Final = 3600.0
"""Seconds of a ``Retry-After`` that are respected at most."""
_KEEPS_METHOD: Final = frozenset({307, 308})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where deliveries go."""

    id: str
    url: str
    secret: Callable[[], str]
    """The secret of this moment; raises ConfigError where it is gone. Never shown."""
    events: frozenset[str] = frozenset()
    """Kinds of events that are sent; empty: all but the progress of holds."""

    def wants(self, kind: str) -> bool:
        """Whether events of this kind are sent."""
        return kind in self.events if self.events else kind != "reaction.progress"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt."""

    reason: str = ""
    """Why it failed; empty if the receiver answered 2xx."""
    final: bool = False
    """Another attempt can't help."""
    wait: float = 0.0
    """Seconds that the receiver asks to wait before the next attempt."""


class WebhookSender(Component):
    """Sends deliveries to addresses that ``rule`` allows, each attempt within ``timeout``."""

    def __init__(
        self,
        rule: AddressRule,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` is Unix time in seconds, which receivers compare with their own."""
        self._rule = rule
        self._timeout = timeout
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        # A receiver that hangs must not use up the connections of the others.
        self._http = guarded_session(self._rule, connections=0, cookie_jar=aiohttp.DummyCookieJar())

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def send(self, webhook: Webhook, delivery: Delivery) -> Outcome:
        """Make one attempt. Raises nothing but CancelledError."""
        body = delivery.body.encode()
        try:
            headers = signature_headers(webhook.secret(), delivery.id, int(self._clock()), body) | {
                "Content-Type": "application/json",
                "User-Agent": "reaction-sidecar",
            }
            async with asyncio.timeout(self._timeout):
                return await self._post(URL(webhook.url), headers, body)
        except TimeoutError:
            return Outcome(f"no answer within {self._timeout:g} s")
        except RefusedError as error:
            return Outcome(str(error), final=True)
        except (aiohttp.ClientError, ConfigError, OSError, ValueError) as error:
            refused = error.__cause__ or error.__context__
            if isinstance(refused, RefusedError):
                return Outcome(str(refused), final=True)
            return Outcome(redact(str(error)) or type(error).__name__)

    async def _post(self, url: URL, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._http is None:
            return Outcome("closed")
        for _ in range(REDIRECTS + 1):
            async with self._http.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.content.read(LONGEST_ANSWER)
                if answer.status not in _REDIRECTS:
                    return _outcome(answer)
                target = answer.headers.get("Location", "")
                if answer.status not in _KEEPS_METHOD or not target:
                    return Outcome(f"redirected by {answer.status}: only 307 and 308 keep a POST")
                before, url = url, url.join(URL(target))
            if before.scheme == "https" and url.scheme != "https":
                return Outcome("redirected from https to http", final=True)
        return Outcome(f"more than {REDIRECTS} redirects")


def _outcome(answer: aiohttp.ClientResponse) -> Outcome:
    if 200 <= answer.status < 300:
        return Outcome()
    after = answer.headers.get("Retry-After", "")
    wait = float(after) if after.isascii() and after.isdigit() else 0.0
    # 410 Gone: the receiver wants no more, as the specification has it.
    return Outcome(f"answered {answer.status}", answer.status == 410, min(wait, LONGEST_WAIT))
