"""For receivers: whether a push is genuine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Iterable, Optional, Protocol, Sequence, Tuple, Union
from urllib.parse import unquote

from ._values import read_moment
from .errors import SignatureError


class Headers(Protocol):
    """A dict, or what your web framework has for headers."""

    def items(self) -> Iterable[Tuple[str, str]]: ...


@dataclass(frozen=True)
class Push:
    """What the headers of a push say. Only `webhook_id` and `timestamp` are signed, with the body."""

    #: The same over all attempts of a task: the key to recognise a repeated push by.
    webhook_id: str
    #: When this attempt was sent.
    timestamp: datetime
    task_id: Optional[str]
    due_at: Optional[datetime]
    #: From 1.
    attempt: Optional[int]


class WebhookVerifier:
    """Checks the signatures of pushes (Standard Webhooks 1.0)."""

    def __init__(self, secrets: Union[str, Sequence[str]], *, tolerance: float = 300.0) -> None:
        """
        :param secrets: `whsec_...`; while they are rotated, the old and the new one.
        :param tolerance: how many seconds the timestamp may be off this machine's clock.
        """
        given = [secrets] if isinstance(secrets, str) else list(secrets)
        self._keys = [base64.b64decode(secret[6:] if secret.startswith("whsec_") else secret) for secret in given]
        if not all(self._keys) or not self._keys:
            raise ValueError("a secret is whsec_ and base64")
        self._tolerance = tolerance

    def verify(self, body: Union[bytes, str], headers: Headers) -> Push:
        """Raises SignatureError unless the push is genuine. The body is what came, before any parsing."""
        fields = {name.lower(): value for name, value in headers.items()}
        try:
            id, timestamp, signatures = (fields[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        except KeyError as error:
            raise SignatureError(f"a push without {error.args[0]}") from None
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
            raise SignatureError("webhook-timestamp is no number")
        if abs(time.time() - int(timestamp)) > self._tolerance:
            raise SignatureError("webhook-timestamp is too far from now")
        signed = f"{id}.{timestamp}.".encode() + (body.encode() if isinstance(body, str) else body)
        given = [one[3:].encode() for one in signatures.split(" ") if one.startswith("v1,")]
        wanted = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in self._keys]
        if not any([hmac.compare_digest(one, other) for one in wanted for other in given]):
            raise SignatureError("no signature fits")
        due, attempt = fields.get("carillon-due-at"), fields.get("carillon-attempt")
        return Push(
            webhook_id=id,
            timestamp=datetime.fromtimestamp(int(timestamp), timezone.utc),
            task_id=unquote(fields["carillon-task-id"]) if "carillon-task-id" in fields else None,
            due_at=read_moment(due) if due else None,
            attempt=int(attempt) if attempt else None,
        )
