"""What MediaPipe 0.10.21's own solutions see in pictures; run by a Python that has it installed.

``python reference.py PICTURES.npz OUT.npz [POSE_LITE.tflite]``: every array of the first file is an
RGB picture; the second gets, for each name, ``NAME/hands`` (n, 21, 2), ``NAME/right`` (n; whether
it is the person's right hand), ``NAME/face`` (0 or 1, 468, 2), ``NAME/body_full`` and
``NAME/body_lite`` (0 or 1, 33, 3), all in pixels, a body's third column being its visibility. The
wheel lacks the lite pose model; without the third argument ``body_lite`` is left out.

Nothing of ours is imported: MediaPipe wants another numpy than we do.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np


def _pixels(found: list[Any], width: int, height: int, points: int) -> Any:
    rows = [[(p.x * width, p.y * height, p.visibility) for p in one.landmark] for one in found]
    return np.array(rows, np.float32).reshape(len(rows), points, 3)


def _solutions(pose_lite: Path | None) -> dict[str, Any]:
    import mediapipe  # type: ignore[import-not-found,unused-ignore]

    solutions = mediapipe.solutions
    found = {
        "hands": solutions.hands.Hands(static_image_mode=True, model_complexity=0),
        "face": solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=False),
        "body_full": solutions.pose.Pose(static_image_mode=True, model_complexity=1),
    }
    if pose_lite is not None:
        folder = Path(mediapipe.__file__).parent / "modules" / "pose_landmark"
        shutil.copy(pose_lite, folder / "pose_landmark_lite.tflite")
        found["body_lite"] = solutions.pose.Pose(static_image_mode=True, model_complexity=0)
    return found


def main(pictures: Path, out: Path, pose_lite: Path | None) -> None:
    solutions = _solutions(pose_lite)
    seen: dict[str, Any] = {}
    with np.load(pictures) as arrays:
        for name, picture in arrays.items():
            size = picture.shape[1], picture.shape[0]
            hands = solutions["hands"].process(picture)
            found = hands.multi_hand_landmarks or []
            seen[f"{name}/hands"] = _pixels(found, *size, 21)[:, :, :2]
            # MediaPipe takes every picture for a mirrored one: its "left" hand is the right one.
            sides = [side.classification[0].label for side in hands.multi_handedness or []]
            seen[f"{name}/right"] = np.array([side == "Left" for side in sides], bool)
            found = solutions["face"].process(picture).multi_face_landmarks or []
            seen[f"{name}/face"] = _pixels(found, *size, 468)[:1, :, :2]
            for key in solutions.keys() & {"body_full", "body_lite"}:
                body = solutions[key].process(picture).pose_landmarks
                seen[f"{name}/{key}"] = _pixels([body] if body else [], *size, 33)
    np.savez_compressed(out, **seen)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
