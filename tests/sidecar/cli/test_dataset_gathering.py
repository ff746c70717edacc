"""``sidecar dataset label``, ``collect``, ``snapshot`` and what the models add to ``check``."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.cookiejar import CookieJar
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reactions.datasets.records import Origin
from reactions.datasets.store import changing_dataset, open_dataset
from reactions.datasets.synthesizing import Synthesis, synthesize_pictures
from reactions.mannequin.pose_file import PoseRecipe
from tests.reactions.datasets.pictures import draw, make_dataset
from tests.sidecar.cli.conftest import Run
from tests.sidecar.media.test_clip_track import make_clip


@pytest.fixture
def cups(tmp_path: Path) -> Iterator[Path]:
    """A list of two pictures of a site on this machine, one of which is missing there."""
    draw(tmp_path / "site" / "cup.png", 1)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        site = f"http://127.0.0.1:{server.server_port}"
        rows = [f"{site}/{name}.png,MIT,Ada,cup" for name in ("cup", "missing")]
        (tmp_path / "cups.csv").write_text("\n".join(["url,licence,author,label", *rows]))
        yield tmp_path
        server.shutdown()
        thread.join()


def test_collect_lists_what_it_can_not_have_and_goes_on_where_it_was(run: Run, cups: Path) -> None:
    collect = ("dataset", "collect", "cups.csv", "--into", "tea", "--private", "--every", "0.1")
    status, out, err = run(*collect)
    assert status == 0
    assert out.endswith("1 pictures added to tea, 0 were there, 1 could not be had\n")
    assert "sidecar: note: cups.csv:3: " in err
    assert "missing.png: answered 404: left out" in err
    (record,) = open_dataset(cups / "tea").records.values()
    assert (record.labels, record.origin.author, record.origin.licence) == (("cup",), "Ada", "MIT")
    assert run(*collect)[1].endswith("0 pictures added to tea, 1 were there, 1 could not be had\n")


def test_collect_takes_nothing_of_this_machine_by_default(run: Run, cups: Path) -> None:
    status, _, err = run("dataset", "collect", "cups.csv", "--into", "tea")
    assert status == 2
    assert "not a public address" in err
    assert err.endswith("sidecar: error: cups.csv: nothing could be collected\n")


def test_collect_takes_a_list_or_a_search(run: Run) -> None:
    for given in ((), ("cups.csv", "--openverse", "tea")):
        status, _, err = run("dataset", "collect", "--into", "tea", *given)
        assert (status, "not both" in err) == (2, True)


def test_snapshot_keeps_no_participant_who_did_not_opt_in(run: Run, tmp_path: Path) -> None:
    (tmp_path / "meeting").mkdir()
    make_clip(tmp_path / "meeting" / "ada.webm")
    status, out, _ = run(
        *("dataset", "snapshot", "meeting", "--into", "tea", "--count", "2", "--every", "0.2"),
        *("--consent", "agreed", "--delete-after", "2099-01-31"),
    )
    assert status == 0
    assert out.endswith(
        "0 pictures added to tea, 0 near-duplicates and 0 without a face left out\n"
    )
    assert list((tmp_path / "tea").rglob("*.jpg")) == []


def test_label_prints_an_address_and_ends_by_a_signal(tmp_path: Path) -> None:
    make_dataset(tmp_path / "tea")
    command = "import sys; from sidecar.cli.app import main; sys.argv[0] = 'sidecar'; main()"
    arguments = ("dataset", "label", str(tmp_path / "tea"), "--no-model", "--no-browser")
    with subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" at ")[1].split()[0]
            cookies = urllib.request.HTTPCookieProcessor(CookieJar())
            with urllib.request.build_opener(cookies).open(address, timeout=30) as answer:
                assert "Labels" in answer.read().decode()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


@pytest.mark.models
def test_check_asks_the_model_which_labels_it_doubts(run: Run, tmp_path: Path) -> None:
    work = Synthesis(PoseRecipe(like="fist"), "thumbs_up", 1)
    with changing_dataset(tmp_path / "tea", create=True) as dataset:
        synthesize_pictures(work, dataset, Origin(), lambda *_: None)
    status, out, _ = run("dataset", "check", "tea", "--doubts")
    assert status == 0
    (line,) = [line for line in out.splitlines() if line.startswith("doubted label: ")]
    assert line.startswith("doubted label: tea/dataset.jsonl:2: ")
    assert "thumbs_up: the model sees" in line
    # The opinion is kept: the same again.
    assert run("dataset", "check", "tea", "--doubts")[1] == out
