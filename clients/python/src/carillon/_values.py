"""Moments, durations and models between Python and JSON."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, ClassVar, Dict, List, Mapping, Type, TypeVar, Union

#: A datetime with a time zone, RFC 3339 with an offset, or Unix milliseconds.
Moment = Union[datetime, str, int]
#: A timedelta, text such as "90s", "1m30s" or "PT90S", or milliseconds.
Duration = Union[timedelta, str, int]

M = TypeVar("M", bound="Model")
T = TypeVar("T")


class Unset:
    """The type of UNSET, which stands for what is left out where None stands for null."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Any = Unset()


class Model:
    """A JSON object. Members that this version of the client does not know are passed over."""

    _readers: ClassVar[Dict[str, Callable[[Any], Any]]] = {}

    @classmethod
    def from_json(cls: Type[M], members: Mapping[str, Any]) -> M:
        given = {}
        for one in fields(cls):  # type: ignore[arg-type]
            name = one.name.rstrip("_")
            value = members.get(name)
            reader = cls._readers.get(name)
            given[one.name] = reader(value) if reader and value is not None else value
        return cls(**given)

    def to_json(self) -> Dict[str, Any]:
        given = {}
        for one in fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if value is not UNSET and (value is not None or one.default is UNSET):
                given[one.name.rstrip("_")] = value
        return given


def each_item(reader: Callable[[Any], T]) -> Callable[[Any], List[T]]:
    return lambda values: [reader(value) for value in values]


def each_value(reader: Callable[[Any], T]) -> Callable[[Any], Dict[str, T]]:
    return lambda values: {name: reader(value) for name, value in values.items()}


def read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def read_duration(value: Union[str, int, float]) -> timedelta:
    if not isinstance(value, str):
        return timedelta(milliseconds=value)
    parts = re.findall(r"([0-9.]+)(d|h|ms|m|s)", value)
    size = sum((timedelta(**{UNITS[unit]: float(number)}) for number, unit in parts), timedelta())
    return -size if value.startswith("-") else size


def encode(value: Any) -> Any:
    """What JSON has no type for, as the API takes it; finer than a millisecond is rounded up."""
    if isinstance(value, Model):
        return value.to_json()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone: datetime.now(timezone.utc), not datetime.now()")
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, timedelta):
        return -(-value // timedelta(milliseconds=1))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def to_text(value: Any) -> str:
    return json.dumps(value, default=encode, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def some(members: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that were given."""
    return {name: value for name, value in members.items() if value is not None}


def new_id() -> str:
    """A UUIDv7: ids that are made later sort later."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return str(uuid.UUID(int=number))
