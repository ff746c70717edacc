"""What the labelling page calls: who may, what is saved, and what the recogniser adds."""

import asyncio
import errno
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from config.errors import DatasetError, PictureError
from reactions.datasets.formats.voc import read_voc
from reactions.datasets.opinions import ModelOpinion, OpinionFile, PictureJudge, ProposedBox
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import LabelledBox, PictureRecord
from reactions.datasets.source_tree import opened_source
from reactions.datasets.store import Dataset, changing_dataset, open_dataset
from sidecar.datasets.label_editor import LabelEditor
from sidecar.datasets.label_routes import LabelRoutes, labelling_app
from sidecar.datasets.labelling import labelling_page, labelling_server
from sidecar.server.page_access import PageAccess
from tests.reactions.datasets.pictures import make_dataset
from tests.sidecar.clients import eventually

Client = TestClient[Any, Any]
THUMB = ProposedBox("thumbs_up", 30, 2, 60, 40, 0.9, "hand")


def see_thumb(record: PictureRecord, path: Path) -> ModelOpinion:
    return ModelOpinion(record.file, "scripted", (THUMB,))


@asynccontextmanager
async def page(
    folder: Path, judge: PictureJudge | None = None, *, logged_in: bool = True
) -> AsyncIterator[Client]:
    with changing_dataset(folder) as dataset:
        editor = LabelEditor(dataset, judge, model="scripted", judged=("thumbs_up", "fist"))
        access = PageAccess()
        app = labelling_app(LabelRoutes(editor, ("wave",)), access)
        jar = aiohttp.CookieJar(unsafe=True)
        async with editor, TestClient(TestServer(app), cookie_jar=jar) as client:
            if logged_in:
                await client.get("/", params={"code": access.new_code()})
            yield client


def files(folder: Path) -> list[str]:
    return list(open_dataset(folder).records)


def box(label: str, *edges: float) -> dict[str, object]:
    return {"label": label, **dict(zip(("left", "top", "right", "bottom"), edges, strict=True))}


async def save(client: Client, file: str, **edit: object) -> tuple[int, Any]:
    given = {"revision": 0, "boxes": [], "labels": [], **edit}
    answer = await client.put(f"/labelling/pictures/{file}", json=given)
    return answer.status, await answer.json()


async def test_labels_are_saved_in_the_data_set_and_as_voc(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    file = files(folder)[3]
    async with page(folder) as client:
        status, answer = await save(
            client, file, boxes=[box("cup", 1, 2, 30, 40)], labels=["drinking"]
        )
        assert (status, answer["revision"]) == (200, 1)
        record = open_dataset(folder).records[file]
        assert record.boxes == (LabelledBox("cup", 1, 2, 30, 40),)
        assert record.labels == ("drinking",)
    problems = ProblemList()
    with opened_source(folder, problems) as tree:
        (found,) = read_voc(tree, problems)
    assert found.path.name == file
    assert [(one.label, one.left, one.bottom) for one in found.boxes] == [("cup", 1, 40)]
    assert len(problems) == 0


async def test_the_list_has_all_pictures_and_labels_in_use_first(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    async with page(tmp_path / "tea") as client:
        listing = await (await client.get("/labelling/pictures")).json()
    assert (listing["name"], listing["labels"]) == ("tea", ["cup", "thumbs_up", "wave"])
    assert [one["name"] for one in listing["pictures"]] == [f"picture {n}.png" for n in range(4)]
    assert listing["looks"] is False


async def test_an_older_revision_is_refused(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    file = files(tmp_path / "tea")[0]
    async with page(tmp_path / "tea") as client:
        assert (await save(client, file, labels=["one"]))[0] == 200
        status, problem = await save(client, file, labels=["two"])
        assert (status, problem["do"]) == (409, "load it again")
        assert (await save(client, file, revision=1, labels=["two"]))[0] == 200
    assert open_dataset(tmp_path / "tea").records[file].labels == ("two",)


@pytest.mark.parametrize(
    "edit",
    [
        {"boxes": [box("cup", 1, 2, 300, 40)]},
        {"boxes": [box("cup", 5, 2, 5, 40)]},
        {"boxes": [box("", 1, 2, 3, 4)]},
        {"boxes": [box("a\nb", 1, 2, 3, 4)]},
        {"boxes": [{"label": "cup"}]},
        {"labels": ["x" * 201]},
        {"labels": [" "]},
        {"revision": -1},
        {"more": 1},
    ],
)
async def test_wrong_labels_are_refused_and_nothing_changes(
    tmp_path: Path, edit: dict[str, object]
) -> None:
    make_dataset(tmp_path / "tea")
    before = (tmp_path / "tea" / "dataset.jsonl").read_bytes()
    async with page(tmp_path / "tea") as client:
        status, problem = await save(client, files(tmp_path / "tea")[0], **edit)
    assert status == 422
    assert problem["detail"]
    assert (tmp_path / "tea" / "dataset.jsonl").read_bytes() == before


async def test_only_a_browser_that_opened_an_address_is_answered(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    file = files(tmp_path / "tea")[0]
    async with page(tmp_path / "tea", logged_in=False) as client:
        for path in ("/", "/?code=", "/?code=x", "/labelling/pictures", f"/labelling/views/{file}"):
            assert (await client.get(path)).status == 401
        assert (await save(client, file))[0] == 401


async def test_an_address_opens_one_browser_and_shows_no_lasting_secret(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    async with labelling_page(tmp_path / "tea") as new_address:
        address, other = new_address(), new_address()
        assert address != other
        jars = [aiohttp.CookieJar(unsafe=True) for _ in range(2)]
        async with (
            aiohttp.ClientSession(cookie_jar=jars[0]) as first,
            aiohttp.ClientSession(cookie_jar=jars[1]) as second,
        ):
            opened = await first.get(address, allow_redirects=False)
            assert (opened.status, opened.headers["Location"]) == (303, "/")
            cookie = opened.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert address.partition("code=")[2] not in cookie
            # The same browser may open its bookmark; another one that read the address may not.
            assert "Labels" in await (await first.get(address)).text()
            assert (await second.get(address)).status == 401
            assert (await second.get(other)).status == 200


async def test_other_names_and_other_sites_are_refused(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    file = files(tmp_path / "tea")[0]
    async with page(tmp_path / "tea") as client:
        rebound = await client.get("/labelling/pictures", headers={"Host": "evil.example"})
        assert rebound.status == 421
        # A form of another site can send no JSON.
        form = await client.put(f"/labelling/pictures/{file}", data="{}")
        assert form.status == 415
        for name in ("0" * 64 + ".png", "..%2fdataset.jsonl", "dataset.jsonl"):
            assert (await client.get(f"/labelling/views/{name}")).status == 404


async def test_thumbnails_are_small_kept_and_views_are_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    record = next(iter(open_dataset(folder).records.values()))
    async with page(folder) as client:
        thumbnail = await client.get(f"/labelling/thumbnails/{record.file}")
        with Image.open(io.BytesIO(await thumbnail.read())) as image:
            assert (image.format, max(image.size) <= 176) == ("JPEG", True)
        assert open_dataset(folder).thumbnail(record).is_file()
        view = await client.get(f"/labelling/views/{record.file}")
        assert view.content_type == "image/png"
        assert await view.read() == open_dataset(folder).path(record).read_bytes()
        open_dataset(folder).path(record).write_bytes(b"damaged")
        open_dataset(folder).thumbnail(record).unlink()
        assert (await client.get(f"/labelling/thumbnails/{record.file}")).status == 422


async def test_the_recogniser_proposes_and_doubts(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    first, second, *_ = files(folder)
    async with page(folder, see_thumb) as client:
        count, found = 0, dict[str, Any]()
        while len(found) < 4:
            news = await (await client.get(f"/labelling/opinions?after={count}")).json()
            count = news["next"]
            found |= {one["file"]: one for one in news["pictures"]}
        assert all(one["looked_at"] for one in found.values())
        assert found[first]["doubts"] == []
        detail = await (await client.get(f"/labelling/pictures/{second}")).json()
        assert [one["label"] for one in detail["proposed"]] == ["thumbs_up"]
        _, answer = await save(client, second, boxes=[box("fist", 28, 4, 60, 40)])
        (doubt,) = answer["doubts"]
        assert (doubt["label"], doubt["index"], doubt["seen"]) == ("fist", 0, "thumbs_up")
    # What was looked at is kept for the next time.
    assert OpinionFile(open_dataset(folder), "scripted").get(first) is not None
    assert OpinionFile(open_dataset(folder), "another").get(first) is None


async def test_the_picture_in_sight_is_looked_at_next(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    seen: list[str] = []
    go, third = Event(), Event()

    def slow(record: PictureRecord, path: Path) -> ModelOpinion:
        seen.append(record.file)
        if len(seen) == 3:
            third.set()
        assert go.wait(30)
        return ModelOpinion(record.file, "scripted")

    first, _, _, last = files(folder)
    async with page(folder, slow) as client:
        await client.get(f"/labelling/pictures/{last}")
        go.set()
        async with asyncio.timeout(60):
            await asyncio.to_thread(third.wait)
    assert seen[:2] == [first, last]


async def test_a_picture_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    first, *rest = files(folder)

    def failing(record: PictureRecord, path: Path) -> ModelOpinion:
        if record.file == first:
            raise PictureError("is damaged")
        return ModelOpinion(record.file, "scripted")

    async with page(folder, failing) as client:
        count, found = 0, set[str]()
        while len(found) < 3:
            news = await (await client.get(f"/labelling/opinions?after={count}")).json()
            count = news["next"]
            found |= {one["file"] for one in news["pictures"]}
    assert found == set(rest)


async def test_the_data_set_is_locked_and_the_address_is_of_this_machine(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    async with labelling_page(tmp_path / "tea") as new_address:
        assert new_address().startswith("http://127.0.0.1:")
        with (
            pytest.raises(DatasetError, match="another command"),
            changing_dataset(tmp_path / "tea"),
        ):
            pass


async def test_what_is_deleted_leaves_no_copy(tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_dataset(folder)
    file = files(folder)[0]
    async with page(folder) as client:
        await save(client, file, labels=["cup"])
        await (await client.get(f"/labelling/thumbnails/{file}")).read()
    stem = file.partition(".")[0]
    assert len(list(folder.rglob(f"{stem}.*"))) == 3
    with changing_dataset(folder) as dataset:
        dataset.remove(dataset.records[file])
        dataset.save()
    assert list(folder.rglob(f"{stem}.*")) == []


async def test_labels_that_wait_to_be_written_when_the_server_closes_are_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "tea")
    go, whole_save = Event(), Dataset.save

    def slow(dataset: Dataset) -> None:
        assert go.wait(30)
        whole_save(dataset)

    with changing_dataset(tmp_path / "tea") as dataset:
        editor, access = LabelEditor(dataset), PageAccess()
        jar = aiohttp.CookieJar(unsafe=True)
        async with editor, aiohttp.ClientSession(cookie_jar=jar) as http:
            async with labelling_server(editor, access) as listener:
                await http.get(listener.url("/"), params={"code": access.new_code()})
                monkeypatch.setattr(Dataset, "save", slow)
                edit = {"revision": 0, "boxes": [], "labels": ["late"]}
                urls = [listener.url(f"/labelling/pictures/{file}") for file in dataset.records]
                puts = [asyncio.create_task(http.put(url, json=edit)) for url in urls]
                await eventually(lambda: all(one.revision for one in editor.pictures()))
                seen = editor.changed.version
                closing = asyncio.create_task(release(editor, seen, go))
            assert [(await put).status for put in puts] == [200] * 4
            await closing
    found = open_dataset(tmp_path / "tea").records.values()
    assert [record.labels for record in found] == [("late",)] * 4


async def release(editor: LabelEditor, seen: int, go: Event) -> None:
    """Set ``go`` once the server closes, which ends the recogniser."""
    await editor.changed.wait(seen)
    go.set()


async def test_labels_that_a_full_disk_does_not_take_are_not_shown_as_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "tea")
    file = files(tmp_path / "tea")[0]

    def full(dataset: Dataset) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with page(tmp_path / "tea") as client:
        with monkeypatch.context() as patch:
            patch.setattr(Dataset, "save", full)
            assert (await save(client, file, labels=["lost"]))[0] == 507
        loaded = await (await client.get(f"/labelling/pictures/{file}")).json()
        assert (loaded["labels"], loaded["revision"]) == ([], 0)
        assert (await save(client, file, labels=["kept"]))[0] == 200
    assert open_dataset(tmp_path / "tea").records[file].labels == ("kept",)
