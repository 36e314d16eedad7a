package io.carillon.client;

/** No answer came: no connection, a broken one, or the time was up. The cause says which. */
public final class NoAnswerException extends CarillonException {
  private static final long serialVersionUID = 1;

  NoAnswerException(String message, boolean outcomeUnknown, Throwable cause) {
    super(message, outcomeUnknown, cause);
  }
}
