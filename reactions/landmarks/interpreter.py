"""One model in LiteRT: a picture in, arrays out. Not thread-safe: one a thread."""

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter as LiteRtInterpreter

from config.errors import ModelError
from reactions.landmark_types import RgbImage
from reactions.landmarks.stderr_filter import without_notices

Tensor = npt.NDArray[np.float32]


class Range(Enum):
    """What a model wants of its input: (factor, offset) on pixels 0–255."""

    UNIT = (1 / 255, 0.0)
    """0–1: landmark models and the palm detector."""
    SYMMETRIC = (2 / 255, -1.0)
    """−1–1: the face and pose detectors."""


class Interpreter:
    """A loaded model with a fixed input size, running on the calling thread only."""

    def __init__(
        self,
        path: Path,
        inputs: Range,
        outputs: Sequence[tuple[int, ...]],
        *,
        in_signature_order: bool = False,
    ) -> None:
        """``outputs``: the shapes to give out, in this order (names differ between exports);
        −1 stands for any length. ``in_signature_order``: outputs of one shape come as the
        model's signature has them, since those of a converted model come in any order.

        Raises ``ModelError`` where the file is no model, or has another input or other outputs.
        """
        self._interpreter = load_interpreter(path)
        details = self._interpreter.get_input_details()[0]
        self.height, self.width = _picture_size(details, path)
        self._input = self._interpreter.tensor(int(details["index"]))
        self._range = inputs
        self._outputs = self._find(outputs, path, in_signature_order)

    def run(self, picture: RgbImage) -> list[Tensor]:
        """Runs the model on a (height, width, 3) picture; gives copies, in the order asked for."""
        factor, offset = self._range.value
        # The view must be gone before invoke(), or LiteRT refuses to run.
        view = self._input()
        view[0] = picture  # a multiplication of bytes would be cast through small buffers
        view *= np.float32(factor)
        if offset:
            view += np.float32(offset)
        del view
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def _find(self, shapes: Sequence[tuple[int, ...]], path: Path, signed: bool) -> list[int]:
        details = self._signed_outputs() if signed else self._interpreter.get_output_details()
        left = [
            (tuple(int(n) for n in detail["shape"]), int(detail["index"]))
            for detail in details
            if detail["dtype"] is np.float32
        ]
        found = []
        for shape in shapes:
            match = next((output for output in left if _fits(output[0], shape)), None)
            if match is None:
                raise ModelError(f"the model has no output of shape {shape}", where=str(path))
            left.remove(match)
            found.append(match[1])
        return found

    def _signed_outputs(self) -> Sequence[dict[str, Any]]:
        """The outputs by their names in the model's only signature; as they come without one."""
        signatures = self._interpreter.get_signature_list()
        if len(signatures) != 1:
            return list(self._interpreter.get_output_details())
        named = self._interpreter.get_signature_runner(next(iter(signatures))).get_output_details()
        return [named[name] for name in sorted(named)]


def _picture_size(details: Mapping[str, Any], path: Path) -> tuple[int, int]:
    """Height and width of the input; raises ModelError where that is no picture in float32."""
    shape = tuple(int(n) for n in details["shape"])
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or details["dtype"] is not np.float32:
        what = f"the model's input is {np.dtype(details['dtype'])} of shape {shape}"
        raise ModelError(f"{what}, no picture in float32", where=str(path))
    return shape[1], shape[2]


def load_interpreter(path: Path) -> LiteRtInterpreter:
    """The model at ``path``, for one thread. Raises ``ModelError`` where the file is no model."""
    try:
        with without_notices():
            interpreter = LiteRtInterpreter(str(path), num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"LiteRT can't load it ({str(error).splitlines()[0]})",
            where=str(path),
            do="run `sidecar models fetch` again",
        ) from error
    return interpreter


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        want in (-1, have) for have, want in zip(shape, wanted, strict=True)
    )
