package io.carillon.client;

import io.carillon.client.model.BatchItem;
import java.util.List;

/** What every exception of this package is. */
public class CarillonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private boolean outcomeUnknown;
  private transient List<BatchItem> results = List.of();

  CarillonException(String message, boolean outcomeUnknown, Throwable cause) {
    super(message, cause);
    this.outcomeUnknown = outcomeUnknown;
  }

  /**
   * Whether the call may have been done although it failed: its answer was lost, or the server does not know.
   * Look, or send the same again under the same id or operation.
   */
  public boolean outcomeUnknown() {
    return outcomeUnknown;
  }

  /** Of createTasks and cancelTasks: the results of the parts that were answered before this exception. */
  public List<BatchItem> results() {
    return results;
  }

  void outcomeUnknown(boolean unknown) {
    outcomeUnknown = unknown;
  }

  void results(List<BatchItem> answered) {
    results = answered;
  }
}
