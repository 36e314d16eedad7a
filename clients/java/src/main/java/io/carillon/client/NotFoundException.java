package io.carillon.client;

import io.carillon.client.model.Problem;
import java.time.Duration;

/** 404: never there, or finished and forgotten. */
public final class NotFoundException extends ProblemException {
  private static final long serialVersionUID = 1;

  NotFoundException(Problem problem, Duration retryAfter, boolean outcomeUnknown) {
    super(problem, retryAfter, outcomeUnknown);
  }
}
