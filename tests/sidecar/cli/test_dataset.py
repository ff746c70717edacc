"""``sidecar dataset``: each command from arguments to what it prints and leaves on disk."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from reactions.datasets.store import content_name
from tests.reactions.datasets.pictures import draw
from tests.sidecar.cli.conftest import Run


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Eight pictures of four people in class folders, as CSV tells."""
    rows = ["filename,class,xmin,ymin,xmax,ymax,person,delete_after"]
    for seed in range(8):
        draw(tmp_path / "source" / f"{seed}.png", seed)
        label, day = ("cup", "2020-01-31") if seed % 2 else ("like", "")
        rows.append(f"{seed}.png,{label},1,2,30,40,p{seed // 2},{day}")
    (tmp_path / "source" / "a.csv").write_text("\n".join(rows))
    return tmp_path / "source"


def test_from_import_to_export(run: Run, labelled: Path, tmp_path: Path) -> None:
    status, out, err = run(
        "dataset", "import", "csv", "source", "--into", "tea", "--licence", "MIT"
    )
    assert (status, err) == (0, "")
    assert out == "8 pictures with 8 boxes added to tea, 0 were there, 0 problems\n"
    assert run("dataset", "split", "tea", "--test", "0.25", "--seed", "3")[0] == 0
    status, out, _ = run("dataset", "check", "tea")
    assert (status, out) == (0, "0 findings\n")
    status, out, _ = run("dataset", "export", "yolo", "tea", "--to", "yolo.zip")
    assert (status, out) == (0, "8 pictures written to yolo.zip, 0 problems\n")
    status, out, err = run("dataset", "export", "voc", "tea", "--to", "yolo.zip")
    assert status == 2
    assert err == (
        "sidecar: error: yolo.zip: is there already, and nothing is overwritten"
        " (name a new one, or delete it first)\n"
    )
    manifest = (tmp_path / "tea" / "dataset.jsonl").read_text().splitlines()
    assert json.loads(manifest[1])["origin"] == {"person": "p0", "licence": "MIT"}


def test_classes_and_chart(run: Run, labelled: Path, tmp_path: Path) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    assert run("dataset", "classes", "tea", "--out", "predefined_classes.txt")[0] == 0
    assert (tmp_path / "predefined_classes.txt").read_text() == "cup\nlike\n"
    assert run("dataset", "classes", "tea")[1] == "cup\nlike\n"
    assert run("dataset", "classes", "tea", "--out", "predefined_classes.txt")[0] == 2
    status, out, _ = run("dataset", "plot", "tea", "--out", "chart.png")
    assert status == 0
    assert [line.split() for line in out.splitlines()[-2:]] == [["cup", "4"], ["like", "4"]]
    with Image.open(tmp_path / "chart.png") as chart:
        assert chart.format == "PNG"


def test_prune_deletes_what_is_due(run: Run, labelled: Path, tmp_path: Path) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    assert run("dataset", "prune", "tea", "--dry-run")[1].endswith("4 pictures are due\n")
    assert len(list((tmp_path / "tea").rglob("*.png"))) == 8
    assert run("dataset", "prune", "tea")[1].endswith("4 pictures deleted\n")
    assert len(list((tmp_path / "tea").rglob("*.png"))) == 4
    assert run("dataset", "prune", "tea")[1] == "0 pictures deleted\n"


def test_prune_deletes_what_a_killed_command_left(run: Run, labelled: Path, tmp_path: Path) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    run("dataset", "prune", "tea")
    pictures = tmp_path / "tea" / "pictures"
    before = set(pictures.rglob("*"))
    strange = draw(tmp_path / "strange.png", 99)
    folder = next(path for path in before if path.is_dir())
    strange.rename(folder / content_name(strange))
    (folder / f".{'0' * 16}.partial").write_bytes(b"half")
    (folder / "my own notes.txt").write_text("kept")
    assert run("dataset", "prune", "tea", "--dry-run")[1].endswith("2 pictures are due\n")
    assert run("dataset", "prune", "tea")[1].endswith("2 pictures deleted\n")
    assert set(pictures.rglob("*")) == before | {folder / "my own notes.txt"}


def test_a_split_is_not_made_twice_by_accident(run: Run, labelled: Path) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    assert run("dataset", "split", "tea")[0] == 0
    status, _, err = run("dataset", "split", "tea")
    assert status == 2
    assert "is divided already" in err
    assert run("dataset", "split", "tea", "--again")[0] == 0


def test_hagrid_is_imported_under_our_names(run: Run, tmp_path: Path) -> None:
    draw(tmp_path / "source" / "like" / "a1.png", 1)
    entry = {"bboxes": [[0.1, 0.1, 0.2, 0.2]], "labels": ["like"], "user_id": "u1"}
    (tmp_path / "source" / "like.json").write_text(json.dumps({"a1": entry}))
    assert run("dataset", "import", "hagrid", "source", "--into", "ours")[0] == 0
    assert run("dataset", "classes", "ours")[1] == "thumbs_up\n"
    run("dataset", "import", "hagrid", "source", "--into", "theirs", "--keep-names")
    assert run("dataset", "classes", "theirs")[1] == "like\n"


def test_a_video_is_exploded_once(run: Run, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "tea.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10, options={"qscale": "2"})
        stream.width, stream.height = 64, 48
        for index in range(12):
            path = draw(tmp_path / "frame.png", index // 6)
            frame = av.VideoFrame.from_ndarray(np.asarray(Image.open(path)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    arguments = "dataset", "explode", "tea.mp4", "--every", "4", "--into", "tea", "--person", "ada"
    status, out, _ = run(*arguments)
    assert (status, out) == (
        0,
        "tea.mp4: 2 frames added, 0 were there, 2 near-duplicates left out\n",
    )
    assert run(*arguments)[1].startswith("tea.mp4: 0 frames added, 2 were there")
    lines = (tmp_path / "tea" / "dataset.jsonl").read_text().splitlines()[1:]
    assert [json.loads(line).get("time", 0.0) for line in lines] == [0.0, 0.6]
    assert json.loads(lines[0])["origin"] == {"person": "ada", "source": "tea.mp4"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("import odd . --into x", "dataset import: format 'odd' is not read (use voc yolo"),
        ("import voc gone --into x", "gone: is not there"),
        ("import voc . --into x", "nothing could be imported"),
        ("import voc . --into x --split mine", "--split: 'mine' is no split"),
        ("import voc . --into x --delete-after tomorrow", "--delete-after: 'tomorrow' is no date"),
        ("explode gone.mp4 --into x", "gone.mp4: can't be read: No such file"),
        ("check gone", "gone: is no data set"),
        ("split gone", "gone: is no data set"),
        ("split gone --test 1", "dataset split: shares must be"),
        ("prune gone", "gone: is no data set"),
        ("plot gone --out x.png", "gone: is no data set"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run: Run, arguments: str, error: str) -> None:
    status, _, err = run("dataset", *arguments.split())
    assert status == 2
    assert error in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "command", ["import", "export", "explode", "split", "check", "classes", "plot", "prune"]
)
def test_help_has_an_example(run: Run, command: str) -> None:
    status, out, _ = run("dataset", command, "--help")
    assert status == 0
    assert f"Example: sidecar dataset {command}" in " ".join(out.split())


def test_a_file_in_a_folder_that_is_not_there_is_one_line(run: Run, labelled: Path) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    status, _, err = run("dataset", "classes", "tea", "--out", "nowhere/classes.txt")
    assert status == 2
    assert err == (
        "sidecar: error: nowhere/classes.txt: has no folder to be in (make nowhere first)\n"
    )


def test_a_missing_extra_is_named(
    run: Run, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("dataset", "import", "csv", "source", "--into", "tea")
    monkeypatch.setitem(__import__("sys").modules, "globox", None)
    status, _, err = run("dataset", "export", "voc", "tea", "--to", "voc")
    assert status == 2
    assert "globox, which is not installed (pip install 'reaction-sidecar[dataset]')" in err


def test_mannequins_show_a_pose_that_is_written_down(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tea.toml").write_text('like = "drinking"\n[head]\npitch = [-12, -4]\n')
    words = ["dataset", "synthesize", "tea", "--pose", "tea.toml", "--into", "tea", "--pictures"]
    status, out, _ = run(*words, "2", "--landmarks", "tea.npz")
    assert status == 0
    assert out == "2 pictures added to tea, 0 were there\n2 hands written to tea.npz\n"
    assert run(*words, "3")[1] == "1 pictures added to tea, 2 were there\n"


def test_a_label_without_a_pose_needs_a_file(run: Run) -> None:
    status, _, err = run("dataset", "synthesize", "tea", "--into", "tea")
    assert status == 2
    assert err.startswith("sidecar: error: no pose for 'tea'; allowed: neutral, face")
    assert not Path("tea").exists()
