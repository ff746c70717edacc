"""MediaPipe 0.10.21 in an environment of its own, driven by lines.

``python mediapipe_child.py FOLDER CORE`` reads ``SOLUTION SCENE`` lines and answers each with a
JSON line: CPU milliseconds of each frame of the scene, and in how many frames a hand was found.
Nothing of ours is imported: MediaPipe wants older libraries.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def solution(name: str) -> Any:
    """The tracker, as MediaPipe ships it."""
    # Not a name that our environment has.
    mp = importlib.import_module("mediapipe")
    if name == "hands":
        return mp.solutions.hands.Hands(max_num_hands=2, model_complexity=0)
    return mp.solutions.holistic.Holistic(model_complexity=1)


def hands(name: str, result: Any) -> bool:
    if name == "hands":
        return bool(result.multi_hand_landmarks)
    return bool(result.left_hand_landmarks or result.right_hand_landmarks)


def main() -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {int(sys.argv[2])})
    frames = {path.stem: np.load(path) for path in Path(sys.argv[1]).glob("*.npy")}
    for line in sys.stdin:
        name, scene = line.split(maxsplit=1)
        spent, found = [], 0
        with solution(name) as tracker:
            for frame in frames[scene.strip()]:
                began = time.process_time()
                result = tracker.process(frame)
                spent.append(1000 * (time.process_time() - began))
                found += hands(name, result)
        print(json.dumps({"ms": spent, "found": found}), flush=True)


if __name__ == "__main__":
    main()
