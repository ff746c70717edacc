"""Boxes written by labelImg and labelme, imported and exported by us, and read by them again.

Called by ``.ci/roundtrips`` with a Python that has labelImg's ``libs``, and one that has labelme.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

SIZE = 320, 240
EDGES = ("left", "top", "right", "bottom")
Boxes = Mapping[str, Sequence[tuple[str, int, int, int, int]]]
"""By picture: label, left, top, right, bottom, pixels."""
BOXES: Boxes = {
    "one.jpg": [("mug", 10, 20, 110, 90), ("thumbs_up", 120, 30, 200, 160)],
    "two.jpg": [("drinking tea", 3, 5, 317, 236)],
    "with spaces.jpg": [("tasse à thé", 40, 41, 80, 99)],
}

LABELIMG_WRITES = """
import json, sys
from pathlib import Path
from libs.pascal_voc_io import PascalVocWriter
from libs.yolo_io import YOLOWriter
folder, kind = Path(sys.argv[1]), sys.argv[2]
classes = []
for name, boxes in json.load(sys.stdin).items():
    writer = (PascalVocWriter if kind == "voc" else YOLOWriter)(
        folder.name, name, (240, 320, 3), local_img_path=str(folder / name))
    for label, *box in boxes:
        writer.add_bnd_box(*box, label, False)
    stem = str(folder / Path(name).stem)
    if kind == "voc":
        writer.save(stem + ".xml")
    else:
        writer.save(class_list=classes, target_file=stem + ".txt")
"""
LABELIMG_READS_VOC = """
import json, sys
from pathlib import Path
from libs.pascal_voc_io import PascalVocReader
found = {}
for path in sorted(Path(sys.argv[1]).rglob("*.xml")):
    reader = PascalVocReader(str(path))
    found[path.stem] = [[s[0], *s[1][0], *s[1][2]] for s in reader.get_shapes()]
json.dump(found, sys.stdout)
"""
LABELME_WRITES = """
import json, sys
from pathlib import Path
from labelme.label_file import LabelFile
folder = Path(sys.argv[1])
for name, boxes in json.load(sys.stdin).items():
    shapes = [dict(label=label, points=[[a, b], [c, d]], group_id=None, description="",
                   shape_type="rectangle", flags={}, mask=None) for label, a, b, c, d in boxes]
    LabelFile().save(str(folder / Path(name).stem) + ".json", shapes, name, 240, 320)
"""
LABELME_READS = """
import json, sys
from pathlib import Path
from labelme.label_file import LabelFile
found = {}
for path in sorted(Path(sys.argv[1]).rglob("*.json")):
    file = LabelFile(str(path))
    assert file.imageData
    found[path.stem] = []
    for shape in file.shapes:
        xs, ys = zip(*shape["points"])
        found[path.stem].append([shape["label"], min(xs), min(ys), max(xs), max(ys)])
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """One format of a tool, with the programs that write and read it."""

    name: str
    python: str
    ours: str
    writes: str
    reads: str


def run(python: str, program: str, *arguments: str, given: str = "") -> str:
    """What ``program`` prints."""
    done = subprocess.run(
        [python, "-c", program, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr.strip()}")
    return done.stdout


def sidecar(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", "dataset", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    wrong = arguments[0] == "import" and " 0 problems" not in done.stdout
    if done.returncode or wrong:
        raise SystemExit(f"sidecar dataset {' '.join(arguments)}: {done.stdout}{done.stderr}")


def draw(folder: Path) -> None:
    folder.mkdir(parents=True)
    for seed, name in enumerate(BOXES):
        noise = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
        Image.fromarray(noise).resize(SIZE, Image.Resampling.NEAREST).save(folder / name)


def boxes_in(folder: Path) -> list[tuple[str, str, list[float]]]:
    """All boxes of a data set of ours, by the picture's name."""
    return sorted(
        (Path(record["name"]).stem, box["label"], [float(box[edge]) for edge in EDGES])
        for record in manifest(folder)
        for box in record.get("boxes", ())
    )


def expected() -> list[tuple[str, str, list[float]]]:
    """What was written."""
    return sorted(
        (Path(name).stem, label, [float(edge) for edge in edges])
        for name, boxes in BOXES.items()
        for label, *edges in boxes
    )


def compare(what: str, found: list[tuple[str, str, list[float]]], within: float) -> None:
    """Raise SystemExit unless ``found`` are the boxes, each edge ``within`` so many pixels."""
    wanted = expected()
    if [one[:2] for one in found] != [one[:2] for one in wanted]:
        raise SystemExit(f"{what}: {found} instead of {wanted}")
    edges = np.array([one[2] for one in found]) - np.array([one[2] for one in wanted])
    if np.abs(edges).max() > within:
        raise SystemExit(f"{what}: {found} instead of {wanted}")
    print(f"{what}: {len(found)} boxes, edges within {np.abs(edges).max():g} pixels")


def try_tool(tool: Tool, folder: Path) -> None:
    pictures, mine, target = (folder / part for part in ("pictures", "mine", "target"))
    draw(pictures)
    arguments = (str(pictures), tool.ours)
    run(tool.python, tool.writes, *arguments, given=json.dumps(BOXES))
    sidecar("import", tool.ours, str(pictures), "--into", str(mine), "--keep-names")
    # Pixels of VOC begin at 1 for some tools and at 0 for labelImg.
    compare(f"{tool.name}, imported", boxes_in(mine), 1.0)
    sidecar("export", tool.ours, str(mine), "--to", str(target))
    if tool.reads:
        found = json.loads(run(tool.python, tool.reads, str(target)))
        stems = {record["file"][:64]: Path(record["name"]).stem for record in manifest(mine)}
        rows = sorted(
            (stems.get(stem, stem), str(label), [float(edge) for edge in edges])
            for stem, boxes in found.items()
            for label, *edges in boxes
        )
        compare(f"{tool.name}, read again", rows, 1.0)


def manifest(folder: Path) -> list[dict[str, Any]]:
    """The pictures of a data set of ours."""
    lines = (folder / "dataset.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    return [json.loads(line) for line in lines]


def main(labelimg: str, labelme: str) -> None:
    tools = (
        Tool("labelImg, VOC", labelimg, "voc", LABELIMG_WRITES, LABELIMG_READS_VOC),
        Tool("labelImg, YOLO", labelimg, "yolo", LABELIMG_WRITES, ""),
        Tool("labelme", labelme, "labelme", LABELME_WRITES, LABELME_READS),
    )
    for tool in tools:
        with TemporaryDirectory(prefix="sidecar-roundtrip-") as folder:
            try_tool(tool, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
