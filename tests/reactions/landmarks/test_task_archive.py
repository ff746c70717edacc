import zipfile
from io import BytesIO

import pytest

from config.errors import ModelError
from reactions.landmarks.task_archive import check_unpacked, unpack

MODEL = b"\0\0\0\0TFL3 and so on"


def task(**members: bytes) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.tflite", data)
    return content.getvalue()


def test_a_model_is_taken_out_of_a_task_file() -> None:
    content = task(face=MODEL, other=b"other")
    model = unpack("face.tflite")(content)
    assert model == MODEL
    check_unpacked(content, model)


@pytest.mark.parametrize("content", [b"no archive", task(other=MODEL)])
def test_a_task_file_without_the_model_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"face\.tflite"):
        unpack("face.tflite")(content)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="something else"):
        check_unpacked(task(face=b"text"), b"text")
