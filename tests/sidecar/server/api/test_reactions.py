"""Stickers and reaction tables as a client of the API sees them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from config.reaction_table import load_reaction_table
from gifs.catalogue import EFFECTS, STICKERS
from reactions.labels import LABELS
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.reaction_endpoints import ReactionEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, known_token
from sidecar.supervisor.control import ChangeTable
from sidecar.supervisor.reaction_store import ReactionStore
from sidecar.supervisor.supervisor import Supervisor
from tests.sidecar.supervisor.test_scored_labels import Workers, scored
from tests.sidecar.supervisor.test_sticker_folder import picture
from tests.sidecar.supervisor.world import World, live

TABLE = load_reaction_table(LABELS, environ={})
ADMIN, VIEWER = "a-token-of-an-administrator", "a-token-that-only-looks"


class Api:
    def __init__(
        self,
        world: World,
        supervisor: Supervisor,
        client: TestClient[Any, Any],
        folder: Path,
        workers: Workers,
    ) -> None:
        self.world = world
        self.supervisor = supervisor
        self.client = client
        self.folder = folder
        """The operator's own stickers."""
        self.workers = workers
        self.changes = 0

    async def call(
        self, method: str, path: str, *, token: str = ADMIN, **more: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        async with self.client.request(method, f"/v1{path}", headers=headers, **more) as answer:
            if "json" in answer.content_type:
                return answer.status, await answer.json(content_type=None)
            return answer.status, (answer.content_type, await answer.read())

    async def upload(self, path: str, data: bytes, **more: Any) -> tuple[int, Any]:
        return await self.call(
            "PUT", path, data=data, headers={"Content-Type": "image/gif"}, **more
        )


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    world, workers = World(), Workers()
    found: list[Api] = []

    def count() -> None:
        found[0].changes += 1

    async with world.running() as supervisor:
        folder = tmp_path / "mine"
        folder.mkdir()
        store = ReactionStore(tmp_path / "data", TABLE, [folder])
        world.table = lambda room: {
            label: rule.model_dump(mode="json") for label, rule in store.table(room).items()
        }
        reactions = ReactionEndpoints(supervisor, store, scored(workers), count)
        tokens = known_token(ADMIN, "admin"), known_token(VIEWER, "viewer", ["rooms"])
        system = SystemEndpoints(MetricSources(supervisor), faults=list, drain=lambda: None)
        app = create_api(
            reactions.endpoints(), system, Authenticator(tokens), ApiOptions("127.0.0.1")
        )
        async with TestClient(TestServer(app)) as client:
            found.append(Api(world, supervisor, client, folder, workers))
            yield found[0]


async def test_a_sticker_is_uploaded_listed_shown_and_deleted(api: Api) -> None:
    data = picture("WEBP")
    status, added = await api.upload("/stickers/party.gif", data)
    assert (status, added["kind"], added["frames"]) == (200, "WEBP", 3)
    _, listed = await api.call("GET", "/stickers", token=VIEWER)
    assert listed["uploaded"] == [added]
    assert set(STICKERS) <= set(listed["own"])
    assert await api.call("GET", "/stickers/party.gif") == (200, ("image/webp", data))
    assert (await api.call("DELETE", "/stickers/party.gif"))[0] == 204
    assert (await api.call("GET", "/stickers/party.gif"))[0] == 404


async def test_the_file_of_each_sticker_that_a_row_may_play_is_shown(api: Api) -> None:
    mine = picture("GIF")
    (api.folder / "mine.gif").write_bytes(mine)
    (api.folder / "notes.gif").write_text("not a picture")
    (api.folder / "link.gif").symlink_to("/etc/hostname")
    room = (await live(api.supervisor)).id
    own = STICKERS["wave"].read_bytes()
    for path in ("", f"/rooms/{room}"):
        shown = [await api.call("GET", f"{path}/stickers/{name}") for name in ("wave", "mine.gif")]
        assert shown == [(200, ("image/gif", own)), (200, ("image/gif", mine))]
        for name in ("notes.gif", "link.gif", "..%2Fmine.gif", "nonsense"):
            assert (await api.call("GET", f"{path}/stickers/{name}"))[0] == 404
    _, listed = await api.call("GET", "/stickers")
    assert set(listed["effects"]) == set(EFFECTS) <= set(listed["own"])


async def test_labels_come_by_groups_with_their_pictures(api: Api) -> None:
    status, labels = await api.call("GET", "/labels", token=VIEWER)
    assert (status, {one["label"] for one in labels}) == (200, set(LABELS))
    groups = [one["group"] for one in labels]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)
    wave = next(one for one in labels if one["label"] == "wave")
    assert wave == {
        "label": "wave",
        "title": "Wave",
        "how": LABELS["wave"].how,
        "group": "Motion",
        "pose": "/static/poses/wave.webp",
        "scored": True,
    }


async def test_a_row_may_take_an_effect_away_and_the_base_says_what_it_was(api: Api) -> None:
    rows = {"rows": {"victory": {"effect": ""}}}
    status, table = await api.call("PUT", "/reaction-table", json=rows)
    assert (status, table["table"]["victory"]["effect"]) == (200, None)
    assert table["base"]["victory"]["effect"] == TABLE["victory"].effect is not None
    room = (await live(api.supervisor)).id
    _, of_room = await api.call("GET", f"/rooms/{room}/reaction-table")
    assert of_room["base"]["victory"]["effect"] is None


async def test_a_room_has_stickers_and_rows_of_its_own(api: Api) -> None:
    room = (await live(api.supervisor)).id
    assert (await api.upload(f"/rooms/{room}/stickers/party.gif", picture("GIF")))[0] == 200
    assert (await api.call("GET", "/stickers"))[1]["uploaded"] == []
    rows = {"rows": {"wave": {"sticker": "party.gif"}}}
    status, table = await api.call("PATCH", f"/rooms/{room}/reaction-table", json=rows)
    assert (status, table["table"]["wave"]["sticker"]) == (200, "party.gif")
    assert (await api.call("GET", "/reaction-table"))[1]["rows"] == {}
    assert (await api.call("GET", "/rooms/r-none/stickers"))[0] == 404


async def test_running_rooms_get_each_change(api: Api) -> None:
    await live(api.supervisor)
    rows = {"rows": {"wave": {"hold": 2.5}}}
    assert (await api.call("PUT", "/reaction-table", json=rows))[0] == 200
    (change,) = api.world.handles[0].calls
    assert isinstance(change, ChangeTable)
    assert change.table["wave"]["hold"] == 2.5
    assert api.changes == 1
    await api.upload("/stickers/party.gif", picture("GIF"))
    assert len(api.world.handles[0].calls) == 2


async def test_workers_score_what_a_row_turns_on_before_it_counts(api: Api) -> None:
    _, labels = await api.call("GET", "/labels")
    assert [one["scored"] for one in labels if one["label"] == "fist"] == [False]
    rows = {"rows": {"fist": {"kind": "event"}}}
    api.workers.failing = True
    assert (await api.call("PATCH", "/reaction-table", json=rows))[0] == 503
    assert (await api.call("GET", "/reaction-table"))[1]["rows"] == {}
    api.workers.failing = False
    status, table = await api.call("PATCH", "/reaction-table", json=rows)
    assert (status, table["table"]["fist"]["kind"]) == (200, "event")
    assert api.workers.used == [("shipped", frozenset({"wave", "fist"}))]
    _, labels = await api.call("GET", "/labels")
    assert [one["scored"] for one in labels if one["label"] == "fist"] == [True]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"rows": {"wave": {"threshold": 2}}}, 422, "rows.wave.threshold"),
        ({"rows": {"wave": {"colour": "red"}}}, 422, "rows.wave.colour"),
        ({"rows": {"waves": {"hold": 1}}}, 400, "rows: waves"),
        ({"rows": {"wave": {"sticker": "no.gif"}}}, 400, "rows: wave.sticker"),
    ],
)
async def test_a_wrong_row_is_a_problem_that_names_it(
    api: Api, body: object, status: int, named: str
) -> None:
    got, problem = await api.call("PATCH", "/reaction-table", json=body)
    assert (got, problem["status"]) == (status, status)
    assert named in problem["detail"]


async def test_a_file_that_is_no_sticker_is_a_problem(api: Api) -> None:
    assert (await api.upload("/stickers/a.gif", b"<svg/>"))[0] == 422
    assert (await api.upload("/stickers/a.exe", picture("GIF")))[0] == 400
    text = {"Content-Type": "text/html"}
    assert (await api.call("PUT", "/stickers/a.gif", data=b"x", headers=text))[0] == 415


async def test_only_administrators_change_anything(api: Api) -> None:
    assert (await api.upload("/stickers/a.gif", picture("GIF"), token=VIEWER))[0] == 403
    rows = {"rows": {"wave": None}}
    assert (await api.call("PUT", "/reaction-table", json=rows, token=VIEWER))[0] == 403
    assert (await api.call("DELETE", "/stickers/a.gif", token=VIEWER))[0] == 403
