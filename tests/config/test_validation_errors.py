import pytest
from pydantic import BaseModel, ValidationError

from config.validation_errors import first_fault


class Row(BaseModel):
    threshold: float


class Table(BaseModel):
    rows: tuple[Row, ...]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"rows": [{"threshold": 1}, {"threshold": "key"}]}', "rows.1.threshold: Input should be"),
        ("{", "file: Invalid JSON"),
    ],
)
def test_the_first_fault_has_its_place_and_no_value(text: str, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Table.model_validate_json(text)
    assert first_fault(caught.value).startswith(fault)
    assert "key" not in first_fault(caught.value)
