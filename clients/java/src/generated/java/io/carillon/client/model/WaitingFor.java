// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `WaitingFor` of the API. */
public enum WaitingFor {
  DUE,
  RETRY,
  TARGET_PAUSED,
  TARGET_HELD,
  TARGET_CONCURRENCY,
  TARGET_RATE,
  LANE,
  CAPACITY,
  CATCH_UP,
  COMMIT,
  BATCH,
  MERGE,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
