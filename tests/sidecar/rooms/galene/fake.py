"""A Galène in the test's own process: version 2 of its protocol, with real video on loopback.

It does what ``visit.jsonl`` and ``refusals.json`` show of a real server (``test_fake.py`` compares
them), with the rules of ``rtpconn/webclient.go``: one peer connection a stream, offered by its
sender. A client that requests a stream before its first frame is sent a ``close``; whether it gets
an offer later is left to chance there and here (``FakeClient.push_later``). It has no layers, no
TURN server, no WHIP and no pages.
"""

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import jwt
from aiohttp import web

from sidecar.aio import TaskSet
from tests.servers.galene import OPEN
from tests.servers.process import LOOPBACK
from tests.sidecar.rooms.galene.fake_media import (
    DownStream,
    UpStream,
    add_candidate,
    split_candidates,
)

Json: TypeAlias = dict[str, Any]
PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "op": ("op", "present", "message", "caption", "token"),
    "present": ("present", "message"),
    "message": ("message",),
}
"""What the short names in a group's description stand for."""
CHANGES: Final[Mapping[str, tuple[str, bool]]] = {
    "present": ("present", True),
    "unpresent": ("present", False),
    "unshutup": ("message", True),
    "shutup": ("message", False),
}
"""What an operator's actions change: a permission, and whether it is given or taken."""


class JoinError(Exception):
    """A client is not let in: ``text`` for people, ``error`` for programs."""

    def __init__(self, text: str, error: str = "") -> None:
        super().__init__(text)
        self.text, self.error = text, error


class SpoofError(Exception):
    """A client says that it is another."""


@dataclass(eq=False)
class FakeGroup:
    """A group, and what became of it since the server started."""

    name: str
    description: Mapping[str, Any]
    clients: "dict[str, FakeClient]" = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    tokens: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    locked: str = ""
    """What a client that wants to join is sent; empty where the group is open."""

    def authorise(self, join: Mapping[str, Any], url: str) -> tuple[str, list[str]]:
        """The name and the permissions of a client; raises JoinError where it has none."""
        if token := join.get("token"):
            return self._token(token, join.get("username"), url)
        username = join.get("username") or ""
        users: Mapping[str, Any] = self.description.get("users", {})
        user = users.get(username) or self.description.get("wildcard-user")
        if user is None or user["password"] not in ({"type": "wildcard"}, join.get("password")):
            raise JoinError("not authorised")
        return username, list(PERMISSIONS[user["permissions"]])

    def admit(self, client: "FakeClient") -> None:
        """Make ``client`` a member; raises JoinError where there is no place for it."""
        operator = "op" in client.permissions
        if self.locked and not operator:
            raise JoinError(self.locked)
        limit = self.description.get("max-clients", len(self.clients) + 1)
        if len(self.clients) >= limit and not operator:
            raise JoinError("too many users")
        if client.id in self.clients:
            raise JoinError("internal server error")
        self.clients[client.id] = client

    def _token(self, token: str, username: str | None, url: str) -> tuple[str, list[str]]:
        claims = self.tokens.get(token)
        for key in self.description.get("authKeys", ()):
            try:
                secret = jwt.PyJWK(key).key
                claims = jwt.decode(token, secret, algorithms=[key["alg"]], audience=url)
            except jwt.InvalidTokenError:
                continue
        if claims is None:
            raise JoinError("not authorised")
        name = claims.get("username") or claims.get("sub") or username
        if not name:
            raise JoinError("username required", "need-username")
        return name, list(claims["permissions"])


class FakeClient:
    """One client of the server, from its handshake on."""

    def __init__(self, server: "FakeGalene", socket: web.WebSocketResponse, name: str) -> None:
        self.id = name
        self.username = ""
        self.permissions: list[str] = []
        self.data: Json = {}
        self.group: FakeGroup | None = None
        self.up: dict[str, UpStream] = {}
        self.down: dict[str, DownStream] = {}
        self.received: list[Json] = []
        """Every message that the client sent."""
        self._server = server
        self._socket = socket
        self._requested: Mapping[str, list[str]] = {}
        self._pushing = asyncio.Lock()
        self._handlers = {
            "join": self._on_join,
            "request": self._on_request,
            "requestStream": self._on_request_stream,
            "offer": self._on_offer,
            "answer": self._on_answer,
            "ice": self._on_ice,
            "close": self._on_close,
            "abort": self._on_abort,
            "chat": self._on_chat,
            "usermessage": self._on_chat,
            "useraction": self._on_user_action,
            "groupaction": self._on_group_action,
            "ping": self._on_ping,
            "pong": self._on_pong,
        }

    async def send(self, message: str, /, **fields: Any) -> None:
        """Send a message without the fields that are None, unless the client is gone."""
        await self._server.thawed.wait()
        text = {"type": message, **{key: val for key, val in fields.items() if val is not None}}
        if not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_json(self._server.alter(self, text))

    async def run(self) -> None:
        """Handle the client's messages until it goes or is put out."""
        await self.send("handshake", version=["2"])
        try:
            async for message in self._socket:
                await self._server.thawed.wait()
                self.received.append(message.json())
                await self._handle(self.received[-1])
        except SpoofError as error:
            await self._error(str(error))
            await self._socket.close()
        finally:
            await self.leave()

    async def leave(self) -> None:
        """Leave the group and free all streams."""
        for stream in tuple(self.up):
            await self._close_up(stream)
        while self.down:
            _, down = self.down.popitem()
            await down.close()
        group, self.group = self.group, None
        if group is not None:
            del group.clients[self.id]
            gone = {"id": self.id, "username": self.username}
            await broadcast(group.clients.values(), "user", kind="delete", **gone)

    def push_later(self, up: UpStream) -> None:
        """Offer ``up`` to the present members after a delay, unless that was done meanwhile.

        As in the real server: where the first frame comes within the delay, the push of the offer's
        time is the only one, and clients that joined between the two are left out.
        """
        up.pushed = False
        self._server.tasks.create_task(self._push_to(self._others(), up))

    async def _push_to(self, clients: "Iterable[FakeClient]", up: UpStream) -> None:
        await asyncio.sleep(self._server.push_delay)
        if up.pushed or self.up.get(up.id) is not up:
            return
        replace, up.replace, up.pushed = up.replace, "", True
        for client in clients:
            await client.push(up, replace)

    async def push(self, up: UpStream, replace: str = "", *, ended: bool = False) -> None:
        """Offer ``up`` to this client, or say that there is nothing in it for it."""
        async with self._pushing:
            known = self.down.get(up.id)
            replaced = self.down.pop(replace, None)
            if replaced is not None:
                await replaced.close()
            if ended or not up.ready or not self._wants(up, known or replaced):
                await self._close_down(up.id)
            elif known is None:
                await self._offer(up, replace)
                replace = ""
            if replace:
                await self.send("close", id=replace)

    def _wants(self, up: UpStream, known: DownStream | None) -> bool:
        """Whether the client requested a layer of ``up``."""
        if known is not None and known.requested is not None:
            return bool(known.requested)
        return bool(self._requested.get(up.label, self._requested.get("")))

    async def _offer(self, up: UpStream, replaces: str) -> None:
        down = self.down[up.id] = DownStream(up)
        sdp, candidates = split_candidates(await down.offer())
        stream = {"id": up.id, "label": up.label or None, "replace": replaces or None}
        await self.send("offer", source=up.source, username=up.username, sdp=sdp, **stream)
        await self._trickle(up.id, candidates)

    async def _trickle(self, stream: str, candidates: Iterable[Mapping[str, object]]) -> None:
        for candidate in candidates:
            await self.send("ice", id=stream, candidate=candidate)

    async def _close_down(self, stream: str) -> None:
        down = self.down.pop(stream, None)
        if down is not None:
            await down.close()
        await self.send("close", id=stream)

    async def _close_up(self, stream: str, *, push: bool = True) -> None:
        up = self.up.pop(stream, None)
        if up is not None:
            await up.close()
            for other in self._others() if push else ():
                await other.push(up, ended=True)

    def _others(self) -> "list[FakeClient]":
        members = () if self.group is None else self.group.clients.values()
        return [client for client in members if client is not self]

    async def _error(self, text: str) -> None:
        await self.send("usermessage", kind="error", dest=self.id, privileged=True, value=text)

    async def _handle(self, message: Json) -> None:
        if message.get("source", self.id) != self.id:
            raise SpoofError("spoofed client id")
        name = message.get("username")
        if message["type"] != "join" and name is not None and name != self.username:
            raise SpoofError("spoofed username")
        await self._handlers[message["type"]](message)

    async def _on_join(self, message: Json) -> None:
        if message["kind"] == "leave":
            await self.leave()
            await self.send("joined", kind="leave", group=message["group"], username=self.username)
            return
        group = self._server.groups[message["group"]]
        try:
            self.username, self.permissions = group.authorise(message, self._server.url(group.name))
            self.data = message.get("data", {})
            if "redirect" not in group.description:
                group.admit(self)
        except JoinError as error:
            answer = {"kind": "fail", "error": error.error or None, "value": error.text}
            await self.send("joined", group=group.name, username=self.username, **answer)
            return
        if redirect := group.description.get("redirect"):
            answer = {"kind": "redirect", "value": redirect}
            await self.send("joined", group=group.name, username=self.username, **answer)
            return
        self.group = group
        await self._welcome()

    async def _welcome(self) -> None:
        """Tell the client all about its group, and the others about it."""
        assert self.group is not None
        await self._joined("join")
        for said in self.group.history:
            await self.send("chathistory", **said)
        for member in (self, *self._others()):
            await self.send("user", kind="add", **member.listing())
        for other in self._others():
            await other.send("user", kind="add", **self.listing())

    async def _joined(self, kind: str) -> None:
        assert self.group is not None
        status = {"name": self.group.name, "clientCount": len(self.group.clients)}
        who = {"username": self.username, "permissions": self.permissions}
        configuration = self._server.rtc_configuration
        where = {"status": status, "group": self.group.name, "rtcConfiguration": configuration}
        await self.send("joined", kind=kind, **who, **where)

    def listing(self) -> Json:
        """The client's entry in the list of users."""
        who = {"id": self.id, "username": self.username}
        return {**who, "permissions": self.permissions, "data": self.data or None}

    async def _on_request(self, message: Json) -> None:
        self._requested = message["request"]
        for other in self._others():
            for up in tuple(other.up.values()):
                await self.push(up, up.replace)

    async def _on_request_stream(self, message: Json) -> None:
        down = self.down[message["id"]]
        down.requested = message["request"]
        await self.push(down.up)

    async def _on_offer(self, message: Json) -> None:
        stream = message["id"]
        if "present" not in self.permissions:
            await self.send("abort", id=stream)
            await self._error("not authorised")
            return
        up = UpStream(message, lambda: self.push_later(up))
        self.up[stream] = up
        await self._close_up(up.replace, push=False)
        self.push_later(up)
        try:
            sdp, candidates = split_candidates(await up.answer(message["sdp"]))
        except ValueError as error:
            del self.up[stream]
            await up.close()
            await self.send("abort", id=stream)
            await self._error(str(error))
            return
        await self.send("answer", id=stream, sdp=sdp)
        await self._trickle(stream, candidates)

    async def _on_answer(self, message: Json) -> None:
        down = self.down.get(message["id"])
        if down is None:
            await self._close_down(message["id"])
        else:
            await down.accept(message["sdp"])

    async def _on_ice(self, message: Json) -> None:
        stream = self.up.get(message["id"]) or self.down.get(message["id"])
        if stream is not None:
            await add_candidate(stream.peer, message["candidate"])

    async def _on_close(self, message: Json) -> None:
        await self._close_up(message["id"])

    async def _on_abort(self, message: Json) -> None:
        await self._close_down(message["id"])

    async def _on_chat(self, message: Json) -> None:
        """A ``chat`` or a ``usermessage``: to one client, or to all."""
        kind, group = message["type"], self.group
        assert group is not None
        if "message" not in self.permissions:
            await self._error("not authorised")
            return
        privileged = "op" in self.permissions or None
        said = {key: message.get(key) for key in ("kind", "dest", "noecho", "value")}
        said |= {"source": self.id, "username": self.username, "privileged": privileged}
        said["time"] = "2026-11-23T07:54:16Z"
        if message.get("dest"):
            await group.clients[message["dest"]].send(kind, **said)
            return
        if kind == "chat":
            said["id"] = secrets.token_urlsafe(8)
            kept = ("id", "source", "username", "time", "value", "kind")
            group.history.append({key: said[key] for key in kept})
        receivers = self._others() if message.get("noecho") else group.clients.values()
        await broadcast(receivers, kind, **said)

    async def _on_user_action(self, message: Json) -> None:
        assert self.group is not None
        other = self.group.clients.get(message["dest"])
        if "op" not in self.permissions or other is None:
            await self._error("not authorised")
        elif message["kind"] == "kick":
            await other.kick(message["value"], message)
        else:
            await other.change(*CHANGES[message["kind"]])

    async def kick(self, text: str, by: Mapping[str, Any]) -> None:
        """Put the client out; ``by`` is empty where the server does it."""
        who = {"id": by.get("source"), "username": by.get("username")}
        kicked = {"dest": self.id, "privileged": True, "value": text}
        await self.send("usermessage", kind="kicked", **who, **kicked)
        await self._socket.close()

    async def change(self, permission: str, given: bool) -> None:
        """Give or take a permission; streams go with ``present``."""
        assert self.group is not None
        kept = [name for name in self.permissions if name != permission]
        self.permissions = [*kept, permission] if given else kept
        await self._joined("change")
        for stream in () if "present" in self.permissions else tuple(self.up):
            await self._close_up(stream)
            await self.send("abort", id=stream)
            await self._error("permission denied")
        await broadcast(self.group.clients.values(), "user", kind="change", **self.listing())

    async def _on_group_action(self, message: Json) -> None:
        assert self.group is not None
        assert "op" in self.permissions
        match message["kind"]:
            case "lock":
                self.group.locked = message["value"]
            case "maketoken":
                token = {**message["value"], "token": secrets.token_urlsafe(8)}
                self.group.tokens[token["token"]] = token
                await self.send("usermessage", kind="token", privileged=True, value=token)

    async def _on_ping(self, _: Json) -> None:
        await self.send("pong")

    async def _on_pong(self, _: Json) -> None:
        pass


async def broadcast(clients: Iterable[FakeClient], message: str, /, **fields: Any) -> None:
    """Send a message to several clients."""
    for client in tuple(clients):
        await client.send(message, **fields)


class FakeGalene:
    """The server: its groups, and ways to have it fail."""

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        self.origin = ""
        self.groups: dict[str, FakeGroup] = {}
        self.clients: list[FakeClient] = []
        """Every client that ever came."""
        self.rtc_configuration: Json = {}
        self.thawed = asyncio.Event()
        """Cleared while the server neither reads nor writes."""
        self.tasks = TaskSet()
        self.push_delay = 0.2
        """Seconds from a stream's offer, and from its first frame, to the offers to the others."""
        self.alter: Callable[[FakeClient, Json], Json] = lambda client, message: message
        """Changes a message before it is sent to a client."""
        self._certificate = certificate
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._connections: set[asyncio.Transport] = set()
        self.thawed.set()

    def url(self, group: str) -> str:
        """The URL of a group, as users paste it."""
        return f"{self.origin}/group/{group}/"

    def add_group(self, name: str, description: Mapping[str, object] = OPEN) -> str:
        """Add a group; its URL."""
        self.groups[name] = FakeGroup(name, description)
        return self.url(name)

    async def start(self) -> None:
        """Listen; after an end on the same port, with the same groups and no one in them."""
        app = web.Application()
        app.router.add_get("/group/{name:.+}/.status", self._status)
        app.router.add_get("/ws", self._connect)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port, ssl_context=self._certificate)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.origin = f"{'https' if self._certificate else 'http'}://{LOOPBACK}:{self._port}"

    def freeze(self) -> None:
        """Say nothing more, as a stopped process does."""
        self.thawed.clear()

    def thaw(self) -> None:
        self.thawed.set()

    async def stop(self) -> None:
        """Shut down: put all clients out, and stop listening."""
        for client in self._members():
            await client.kick("server is shutting down", {})
        await self._end()

    async def kill(self) -> None:
        """Stop listening, and cut all connections without a word."""
        for connection in tuple(self._connections):
            connection.abort()
        await self._end()

    async def _end(self) -> None:
        self.thaw()
        await self.tasks.aclose()
        self.tasks = TaskSet()
        for client in self._members():
            await client.leave()
        for group in self.groups.values():
            group.history.clear()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _members(self) -> list[FakeClient]:
        return [client for group in self.groups.values() for client in group.clients.values()]

    async def _status(self, request: web.Request) -> web.Response:
        await self.thawed.wait()
        group = self.groups.get(request.match_info["name"])
        if group is None:
            raise web.HTTPNotFound
        if redirect := group.description.get("redirect"):
            return web.json_response({"name": group.name, "redirect": redirect})
        endpoint = f"{self.origin.replace('http', 'ws', 1)}/ws"
        status = {"name": group.name, "location": self.url(group.name), "endpoint": endpoint}
        if "authServer" in group.description:
            status["authServer"] = group.description["authServer"]
        return web.json_response(status)

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        handshake = (await socket.receive()).json()
        assert handshake["type"] == "handshake"
        client = FakeClient(self, socket, handshake["id"])
        self.clients.append(client)
        client.received.append(handshake)
        transport = request.transport
        assert transport is not None
        self._connections.add(transport)
        try:
            await client.run()
        finally:
            self._connections.discard(transport)
        return socket


@asynccontextmanager
async def fake_galene(certificate: ssl.SSLContext | None = None) -> AsyncIterator[FakeGalene]:
    """A server with one open group, ``room``."""
    server = FakeGalene(certificate)
    await server.start()
    server.add_group("room")
    try:
        yield server
    finally:
        await server.kill()
