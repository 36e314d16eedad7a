package io.carillon.client;

import io.carillon.client.model.Problem;
import java.time.Duration;

/** The server refused: an RFC 9457 problem. Its title and detail are for people. */
public class ProblemException extends CarillonException {
  private static final long serialVersionUID = 1;

  private final transient Problem problem;
  private final transient Duration retryAfter;

  ProblemException(Problem problem, Duration retryAfter, boolean outcomeUnknown) {
    super(message(problem), outcomeUnknown, null);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  static ProblemException of(Problem problem, Duration retryAfter, boolean outcomeUnknown) {
    return switch ((int) problem.status()) {
      case 404 -> new NotFoundException(problem, retryAfter, outcomeUnknown);
      case 409 -> new ConflictException(problem, retryAfter, outcomeUnknown);
      default -> new ProblemException(problem, retryAfter, outcomeUnknown);
    };
  }

  private static String message(Problem problem) {
    String detail = problem.detail() == null ? problem.title() : problem.detail();
    return problem.status() + " " + slug(problem.type()) + ": " + detail;
  }

  static String slug(String type) {
    return type.substring(type.lastIndexOf('/') + 1);
  }

  /** As the server says it: {@code /problems/task_exists}. */
  public String type() {
    return problem.type();
  }

  /** The last part of the type, as the table of problems has it: {@code task_exists}. */
  public String slug() {
    return slug(problem.type());
  }

  public int status() {
    return (int) problem.status();
  }

  /** The field or parameter at fault; null where there is none. */
  public String field() {
    return problem.field();
  }

  /** How long the server wants not to be asked again; null where it does not say. */
  public Duration retryAfter() {
    return retryAfter;
  }

  /** All members; state, attempt and at say more where a task was in the way. */
  public Problem problem() {
    return problem;
  }
}
