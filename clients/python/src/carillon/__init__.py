"""Client of Carillon, a durable timer: schedule a task, cancel it, and it is pushed to you on time."""

from . import models
from ._values import UNSET, Duration, Moment
from .client import AsyncClient, Client, TaskOrLine
from .errors import CarillonError, ConflictError, NoAnswerError, NotFoundError, ProblemError, SignatureError
from .models import *  # noqa: F403
from .webhooks import Push, WebhookVerifier

__version__ = "0.2.0"

__all__ = ["UNSET", "AsyncClient", "Client", "Duration", "Moment", "Push", "TaskOrLine", "WebhookVerifier"]
__all__ += ["CarillonError", "ConflictError", "NoAnswerError", "NotFoundError", "ProblemError", "SignatureError"]
__all__ += models.__all__
