"""The base of all records, and the kinds of number in them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["ok", "diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted"]
# Bounds that no real run reaches, and within which no median, ratio or sum of a report overflows.
Count = Annotated[int, Field(ge=0, le=10**18)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=-1e300, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e18)]
Rate = Annotated[float, Field(ge=1e-18, le=1e18)]
FiniteLoss = Annotated[float, Field(ge=-1e300, le=1e300)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Record(BaseModel):
    """A record that cannot be changed and holds no field that it does not know."""

    # JSON has no NaN and no infinity: written as null, they would make the whole file unreadable.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
