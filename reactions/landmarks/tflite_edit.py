"""Edits of ``.tflite`` flatbuffers in place, byte by byte.

Nothing is serialised again, so a result depends on no library's version and its SHA-256 can be
pinned. Layout: https://flatbuffers.dev/internals/ (a vector is a uint32 length and its elements; an
element of a vector of tables is the distance from its own place to the table).
"""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from config.errors import ModelError
from reactions.landmarks.stderr_filter import without_notices

_SUBGRAPHS_SLOT = 8
"""The place of ``subgraphs`` in the vtable of a Model (schema.fbs)."""
_OUTPUTS_SLOT, _OPERATORS_SLOT = 8, 10
"""Places of ``outputs`` and ``operators`` in the vtable of a SubGraph (schema.fbs)."""

REPORT_IT = "please report this with your LiteRT version"
Ints = npt.NDArray[np.int32]


class Flatbuffer:
    """A model's bytes, and the parts of its only graph that we edit."""

    def __init__(self, content: bytes) -> None:
        """Raises ``ModelError`` where ``content`` isn't a model of one graph."""
        if content[4:8] != b"TFL3":
            raise ModelError("not a .tflite model", do="fetch the models again")
        self.content = bytearray(content)
        self._model = schema.Model.GetRootAs(self.content, 0)
        if self._model.SubgraphsLength() != 1:
            raise ModelError("a model of several graphs can't be edited")
        self._graph = self._model.Subgraphs(0)
        graphs = self._vector(self._target(0), _SUBGRAPHS_SLOT)
        self._graph_table = self._target(graphs + 4)

    @property
    def operators(self) -> int:
        """How many operators the graph has."""
        return int(self._graph.OperatorsLength())

    @property
    def outputs(self) -> list[int]:
        """The tensors that the model gives out."""
        return [int(tensor) for tensor in self._graph.OutputsAsNumpy()]

    def builtin(self, operator: int) -> int:
        """The builtin code of an operator; old files hold it in the deprecated field."""
        code = self._model.OperatorCodes(self._graph.Operators(operator).OpcodeIndex())
        return int(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))

    def reads(self, operator: int) -> list[int]:
        """The tensors that an operator reads (-1: an optional one left out)."""
        return [int(tensor) for tensor in self._graph.Operators(operator).InputsAsNumpy()]

    def writes(self, operator: int) -> list[int]:
        """The tensors that an operator writes."""
        return [int(tensor) for tensor in self._graph.Operators(operator).OutputsAsNumpy()]

    def shape(self, tensor: int) -> Ints:
        """The shape of a tensor, as a view that can be written to."""
        view: Ints = self._graph.Tensors(tensor).ShapeAsNumpy()
        return view

    def constant(self, tensor: int) -> Ints:
        """The int32 numbers of a constant tensor, as a view that can be written to."""
        content: npt.NDArray[np.uint8] = self._model.Buffers(
            self._graph.Tensors(tensor).Buffer()
        ).DataAsNumpy()
        return content.view(np.int32)

    def name(self, tensor: int) -> str:
        """What the model's maker called a tensor."""
        return bytes(self._graph.Tensors(tensor).Name()).decode(errors="replace")

    def weights(self, tensor: int) -> npt.NDArray[np.float32]:
        """The numbers of a constant tensor of floats, a copy; raises ModelError for another."""
        found = self._graph.Tensors(tensor)
        kinds = {schema.TensorType.FLOAT16: np.float16, schema.TensorType.FLOAT32: np.float32}
        kind, shape = kinds.get(found.Type()), self.shape(tensor)
        content = self._model.Buffers(found.Buffer()).DataAsNumpy()
        size = 0 if kind is None else int(np.prod(shape)) * np.dtype(kind).itemsize
        if kind is None or not isinstance(content, np.ndarray) or content.size != size:
            raise ModelError("a tensor of weights is no constant of floats", do=REPORT_IT)
        return content.view(kind).reshape(shape).astype(np.float32)

    def input(self) -> int:
        """The model's first input tensor."""
        return int(self._graph.Inputs(0))

    def keep_outputs(self, places: Sequence[int]) -> None:
        """Makes the outputs at these places of the present list the model's only ones."""
        start = self._vector(self._graph_table, _OUTPUTS_SLOT)
        kept = [self.outputs[place] for place in places]
        struct.pack_into(f"<{len(kept) + 1}i", self.content, start, len(kept), *kept)

    def keep_operators(self, kept: Sequence[int]) -> None:
        """Drops all operators but these (ascending)."""
        start = self._vector(self._graph_table, _OPERATORS_SLOT)
        slots = [start + 4 + 4 * index for index in range(self.operators)]
        tables = [self._target(slot) for slot in slots]
        struct.pack_into("<I", self.content, start, len(kept))
        for slot, operator in zip(slots, kept, strict=False):
            struct.pack_into("<I", self.content, slot, tables[operator] - slot)

    def _vector(self, table: int, slot: int) -> int:
        """Where the vector in this vtable slot of ``table`` begins (its length)."""
        (back,) = struct.unpack_from("<i", self.content, table)
        (offset,) = struct.unpack_from("<H", self.content, table - back + slot)
        return self._target(table + offset)

    def _target(self, place: int) -> int:
        """Where the distance at ``place`` leads to."""
        (distance,) = struct.unpack_from("<I", self.content, place)
        return place + int(distance)


def outputs_of(content: bytes, picture: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """The outputs of the model in ``content`` for one input, to compare it with its original.

    Raises ``ModelError`` where the model doesn't load or run.
    """
    try:
        with without_notices():
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
        interpreter.invoke()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the edited model doesn't run: {error}", do=REPORT_IT) from error
    return [interpreter.get_tensor(out["index"]) for out in interpreter.get_output_details()]
