"""Where snapshots of a live meeting come from: a room of a server, or a meeting that is joined."""

import asyncio
import base64
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

import aiohttp
from pydantic import ValidationError
from yarl import URL

from config.errors import DatasetError, PictureError
from config.reaction_rule import ReactionRule
from config.reaction_table import only_labels
from config.settings import Settings
from reactions.landmark_types import Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.addresses import AddressRule, guarded_session
from sidecar.aio import Component, TaskSet
from sidecar.inference.threads import ThreadDetector
from sidecar.media.container.inputs import require_file
from sidecar.redaction import shown_url
from sidecar.rooms.base import Consent
from sidecar.rooms.reconnect import ReconnectingRoom
from sidecar.rooms.registry import find_adapter
from sidecar.server.hosts import is_loopback_name
from sidecar.session.factories import join_options, make_stickers
from sidecar.session.session import Session
from sidecar.session.snapshots import snapshots
from sidecar.supervisor.server_values import SnapshotSet, SnapshotView

_ANSWER: Final = 30.0
"""Seconds for one answer of a server."""
_MAX_ANSWER: Final = 64 << 20
"""Bytes of one answer: pictures of all participants."""
AGREED: Final = "Opted in to being looked at in the meeting."


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A picture of one participant, who has agreed. ``delete_after``: where its source says so."""

    participant: str
    name: str
    jpeg: bytes
    note: str = AGREED
    delete_after: date | None = None


class SnapshotSource(Protocol):
    """One room; an async context manager."""

    room: str

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def take(self) -> Sequence[TakenPicture]:
        """The newest picture of each participant who has agreed; raises SidecarError."""
        ...

    @property
    def over(self) -> bool:
        """Whether the meeting has ended."""
        ...


class ServerRoom(Component):
    """The room ``room`` of the server at ``address``; ``token`` needs the scope ``admin``.

    Files that the server names are read where it is on this machine. Raises DatasetError for an
    ``address`` that is no URL.
    """

    over = False

    def __init__(self, address: str, room: str, token: str) -> None:
        self.room = room
        self._url = _server_url(address) / "v1" / "rooms" / room / "snapshots"
        self._token = token
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        # The address is the operator's own.
        self._http = guarded_session(
            AddressRule.ANY, headers={"Authorization": f"Bearer {self._token}"}
        )

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def take(self) -> Sequence[TakenPicture]:
        answer = await self._ask()
        try:
            found = SnapshotSet.model_validate_json(answer)
        except ValidationError as error:
            what = "the answer is no set of snapshots"
            raise DatasetError(what, where=self._where, do="update both programs") from error
        day = None if found.delete_after is None else found.delete_after.date()
        return [
            TakenPicture(one.participant, one.name, await self._jpeg(one), found.note, day)
            for one in found.pictures
        ]

    async def _ask(self) -> bytes:
        assert self._http is not None, "take while the room is started"
        try:
            async with asyncio.timeout(_ANSWER), self._http.post(self._url) as answer:
                data = bytearray()
                async for chunk in answer.content.iter_any():
                    data += chunk
                    if len(data) > _MAX_ANSWER:
                        raise DatasetError(
                            f"answers more than {_MAX_ANSWER} bytes", where=self._where
                        )
                if answer.status != 201:
                    raise self._refusal(answer.status)
                return bytes(data)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            what = f"the server does not answer ({type(error).__name__})"
            raise DatasetError(what, where=self._where, do="check --server") from error

    def _refusal(self, status: int) -> DatasetError:
        do = {
            401: "give the server's token in SIDECAR_API_TOKEN",
            403: "use a token with the scope admin",
            404: "name a room by its id: GET /v1/rooms lists them",
        }.get(status, "look into the server's log")
        return DatasetError(f"the server answered {status}", where=self._where, do=do)

    async def _jpeg(self, picture: SnapshotView) -> bytes:
        try:
            if picture.jpeg is not None:
                return base64.b64decode(picture.jpeg, validate=True)
            if not is_loopback_name(self._url.host or ""):
                raise PictureError("is on the server's machine", where=picture.file or "")
            return await asyncio.to_thread(_read_file, Path(picture.file or ""))
        except (OSError, ValueError, PictureError) as error:
            what = "keeps its snapshots in a folder that can't be read here"
            do = "run this on the server's machine, or unset serve.snapshots_folder"
            raise DatasetError(what, where=self._where, do=do) from error

    @property
    def _where(self) -> str:
        return f"{self._url.host}: {self.room}"


def _server_url(address: str) -> URL:
    try:
        url = URL(address)
        if url.scheme in {"http", "https"} and url.host:
            return url
    except ValueError:
        pass
    do = "write it as http://127.0.0.1:8080"
    raise DatasetError("is no http or https URL", where=f"--server {shown_url(address)}", do=do)


def _read_file(path: Path) -> bytes:
    """The content of a regular file of at most ``_MAX_ANSWER`` bytes; raises PictureError."""
    if require_file(path).st_size > _MAX_ANSWER:
        raise PictureError(f"exceeds {_MAX_ANSWER} bytes", where=str(path))
    return path.read_bytes()


class JoinedMeeting(Component):
    """A meeting that is joined by its ``url``, as by ``sidecar join``, but nothing is shown in it.

    Only participants who opted in are looked at. Nothing is recognised. Raises RoomError where the
    meeting can't be joined.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        table: Mapping[str, ReactionRule],
        environ: Mapping[str, str],
    ) -> None:
        self.room = "meeting"
        self._url = url
        self._settings = settings
        self._table = only_labels(dict(table), "face")
        self._environ = environ
        self._session: Session | None = None
        self._ended: asyncio.Task[None] | None = None
        self._life = AsyncExitStack()

    async def start(self) -> None:
        adapter = await find_adapter(self._url)
        options = join_options(self._settings, self._environ)
        room = ReconnectingRoom(lambda: adapter.room(self._url, options))
        self.room = room.name or self.room
        async with AsyncExitStack() as stack:
            detector = await stack.enter_async_context(ThreadDetector(_SeesNothing))
            session = Session(
                *(room, detector, make_stickers(self._table, self._settings)),
                *(self._table, self._settings),
                outputs=(),
                consent=Consent.OPT_OUT,
            )
            self._session = await stack.enter_async_context(session)
            tasks = await stack.enter_async_context(TaskSet())
            self._ended = tasks.create_task(session.ended(), name="meeting")
            self._life = stack.pop_all()

    async def aclose(self) -> None:
        await self._life.aclose()

    @property
    def over(self) -> bool:
        """Whether the meeting has ended."""
        return self._ended is not None and self._ended.done()

    async def take(self) -> Sequence[TakenPicture]:
        assert self._session is not None, "take while the meeting is joined"
        if self._ended is not None and self._ended.done():
            self._ended.result()
            return ()
        found = await snapshots(self._session, time.monotonic())
        return [
            TakenPicture(one.participant, one.name, base64.b64decode(one.jpeg)) for one in found
        ]


class _SeesNothing:
    """A pipeline without models: only the cameras' pictures are wanted."""

    def detect(self, sample: Sample, memory: Memory | None) -> Detection:
        kept = memory or first_memory(Care.NONE, sample.width, sample.height)
        assert kept is not None
        return Detection((), None, kept, 0.0)
