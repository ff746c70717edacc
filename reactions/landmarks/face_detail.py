"""The finer face mesh with irises, and the blendshapes that follow from it.

The mesh that follows a face costs a quarter, but loses a mouth that is wide open (it shuts it where
the chin leaves its region) and hardly moves the lids. ``detail_looks`` says when this one is run.
"""

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import Face, FaceDetail, Points, RgbImage
from reactions.landmarks.detail_looks import DetailTrail, eye_patches, gapes, is_due, may_gape
from reactions.landmarks.interpreter import Interpreter, Range, Tensor, load_interpreter
from reactions.landmarks.model_manifest import BLENDSHAPES, FACE_DETAIL
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi, face_from_landmarks, grown, long_face
from reactions.landmarks.warp import crop_on_edge

_POINTS = 478
_LARGER, _LOWER = 1.2, 0.1
"""The region by that of the coarser mesh: so much larger, and lower by that part of it. In 11 of 26
photos of yawns the mesh sees a shut mouth, its chin lies outside; read like this six are open."""
_READ = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66,
    67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144,
    145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173,
    176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284,
    285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332,
    334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, *range(468, 478),
])  # fmt: skip
"""The 146 landmarks that the blendshapes are made of (MediaPipe's face_blendshapes_graph.cc)."""


class BlendshapeModel:
    """52 blendshapes of a finely read face."""

    def __init__(self, store: ModelStore) -> None:
        self._interpreter = load_interpreter(store.path(BLENDSHAPES))
        self._input = int(self._interpreter.get_input_details()[0]["index"])
        self._output = int(self._interpreter.get_output_details()[0]["index"])

    def read(self, points: Points) -> Tensor:
        """The blendshapes (52,), 0–1, of the landmarks (478, 3) in pixels."""
        self._interpreter.set_tensor(self._input, points[None, _READ, :2])
        self._interpreter.invoke()
        shapes: npt.NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return shapes


class DetailReader:
    """Reads a face finely where that may tell more. Not thread-safe."""

    def __init__(self, store: ModelStore, *, blendshapes: bool) -> None:
        """``blendshapes``: whether they are wanted; then shut mouths are looked at as well."""
        shape = (1, 1, 1, 3 * _POINTS)
        self._mesh = Interpreter(store.path(FACE_DETAIL), Range.UNIT, [shape])
        self._blendshapes = BlendshapeModel(store) if blendshapes else None

    def look(
        self, picture: RgbImage, face: Face, last: DetailTrail, pace: float = 1.0
    ) -> tuple[FaceDetail | None, DetailTrail]:
        """``face`` read finely, None where nothing asks for it; and what to know next time.

        The sample counts as much as ``pace`` (``sample_pace``).
        """
        last = last.passed(pace)
        eyes = eye_patches(picture, face.points) if self._blendshapes else b""
        if not is_due(face.points, eyes, last, always=self._blendshapes is not None):
            return None, last
        region = face_from_landmarks(face.points)
        stretched = self.read(picture, long_face(region, _LOWER)) if last.long else None
        if stretched is not None and gapes(stretched):
            return stretched, DetailTrail.of(stretched, eyes, last, long=True)
        # Lids that are about shut are read the other way every other time: errors of both differ.
        close = last.narrow > 0 and not (last.wide or last.close)
        detail = self.read(picture, region if close else grown(region, _LARGER, _LOWER))
        if stretched is None and may_gape(detail, last):
            stretched = self.read(picture, long_face(region, _LOWER))
            if gapes(stretched):
                return stretched, DetailTrail.of(stretched, eyes, last, long=True)
        unstretched = last.unstretched if stretched is None else 0.0
        return detail, DetailTrail.of(detail, eyes, last, unstretched=unstretched, close=close)

    def read(self, picture: RgbImage, roi: Roi) -> FaceDetail:
        """The face in ``roi`` read finely."""
        size = self._mesh.width
        (raw,) = self._mesh.run(crop_on_edge(picture, roi, size, size))
        points = roi.to_picture(raw.reshape(_POINTS, 3) / np.float32(size))
        shapes = self._blendshapes.read(points) if self._blendshapes else None
        return FaceDetail(points, shapes)
