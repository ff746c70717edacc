"""A Janus without sockets that answers each request, to test the states of the protocol."""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

Request: TypeAlias = dict[str, Any]


class FakeJanus:
    """Answers every request rightly, at once; ``feeds`` publish cameras."""

    def __init__(self, feeds: Sequence[int]) -> None:
        self.feeds = feeds
        self._count = 1_000_000

    def answers(self, request: Request) -> list[str]:
        """What it says to ``request``."""
        return [json.dumps(message) for message in self._answers(request)]

    def _answers(self, request: Request) -> list[Request]:
        about = {"transaction": request["transaction"]}
        match request["janus"]:
            case "create" | "attach":
                self._count += 1
                return [{"janus": "success", "data": {"id": self._count}, **about}]
            case "message":
                return self._plugin(request, {"sender": request["handle_id"], **about})
            case "keepalive":
                return [{"janus": "ack", **about}]
            case _:
                return [{"janus": "success", **about}]

    def _plugin(self, request: Request, about: Request) -> list[Request]:
        body = request["body"]
        match body:
            case {"request": "listparticipants"}:
                rows = [
                    {"id": feed, "display": f"n{feed}", "publisher": True} for feed in self.feeds
                ]
                data: Request = {"videoroom": "participants", "participants": rows}
                return [_event("success", data, about)]
            case {"request": "join", "ptype": "subscriber", "streams": [{"feed": feed}]}:
                if feed not in self.feeds:
                    data = {"videoroom": "event", "error_code": 428, "error": "No such feed"}
                    return [_event("event", data, about)]
                streams = [{"type": "video", "mid": "0", "codec": "vp8", "active": True}]
                offer = {"jsep": {"type": "offer", "sdp": "v=0"}}
                data = {"videoroom": "attached", "streams": streams}
                return [_event("event", data, about) | offer]
            case {"request": "start"}:
                return [_event("event", {"videoroom": "event", "started": "ok"}, about)]
            case _:
                return [_event("event", {"videoroom": "event", "configured": "ok"}, about)]


def _event(kind: str, data: Request, about: Request) -> Request:
    return {"janus": kind, "plugindata": {"data": data}, **about}
