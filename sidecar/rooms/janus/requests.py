"""Requests on their way out, and what is to be done with their answers. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from sidecar.rooms.janus.events import Event
from sidecar.rooms.janus.messages import Description, Message

PLUGIN: Final = "janus.plugin.videoroom"
Then: TypeAlias = Callable[[Message], Iterable[Event]]


def ignore(_: Message) -> Iterable[Event]:
    """For answers that change nothing."""
    return ()


class Requests:
    """Numbers requests, signs them with the server's token and secret, and finds their senders."""

    def __init__(self, token: str, secret: str) -> None:
        self._signature = {
            key: value for key, value in (("token", token), ("apisecret", secret)) if value
        }
        self._waiting: dict[str, Then] = {}
        self._outgoing: list[dict[str, object]] = []
        self._count = 0
        self.session: int | None = None

    def take(self) -> list[dict[str, object]]:
        """The requests to send now, in their order; they are handed out once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def ask(self, kind: str, then: Then = ignore, **fields: object) -> None:
        """Make a request; ``then`` gets its answer, should one come."""
        self._count += 1
        transaction = f"sidecar-{self._count}"
        message: dict[str, object] = {"janus": kind, "transaction": transaction, **fields}
        if self.session is not None and kind != "info":
            message["session_id"] = self.session
        if then is not ignore:
            self._waiting[transaction] = then
        self._outgoing.append(message | self._signature)

    def attach(self, then: Then) -> None:
        """Ask for a new handle of the VideoRoom plugin."""
        self.ask("attach", then, plugin=PLUGIN)

    def message(
        self,
        handle: int,
        body: Mapping[str, object],
        then: Then = ignore,
        description: Description | None = None,
    ) -> None:
        """Send a request to the plugin."""
        fields: dict[str, object] = {"handle_id": handle, "body": dict(body)}
        if description is not None:
            jsep = {"type": description.kind, "sdp": description.sdp, "trickle": False}
            fields["jsep"] = jsep
        self.ask("message", then, **fields)

    def detach(self, handle: int | None) -> None:
        """Free a handle, if there is one."""
        if handle is not None:
            self.ask("detach", handle_id=handle)

    def answered(self, message: Message) -> Iterable[Event] | None:
        """What follows from ``message``; None if it answers nothing that was asked."""
        then = self._waiting.pop(message.transaction, None)
        return None if then is None else then(message)

    def forget(self) -> None:
        """Nothing that was asked will be answered: the connection to the server is new."""
        self._waiting.clear()
        self._outgoing.clear()
