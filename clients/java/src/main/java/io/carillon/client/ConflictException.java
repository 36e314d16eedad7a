package io.carillon.client;

import io.carillon.client.model.Problem;
import java.time.Duration;

/** 409: another task has the id, or it is being pushed, or finished. */
public final class ConflictException extends ProblemException {
  private static final long serialVersionUID = 1;

  ConflictException(Problem problem, Duration retryAfter, boolean outcomeUnknown) {
    super(problem, retryAfter, outcomeUnknown);
  }
}
