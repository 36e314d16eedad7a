"""Client of Carillon, a durable timer: schedule a task, cancel it, and it is pushed to you on time."""

from ._values import UNSET, Duration, Moment
from .client import AsyncClient, Client, TaskOrLine
from .errors import CarillonError, ConflictError, NoAnswerError, NotFoundError, ProblemError, SignatureError
from .models import *  # noqa: F401,F403
from .models import NewTask, Retry, Target, Task, Tls
from .webhooks import Push, WebhookVerifier

__version__ = "0.1.0"
