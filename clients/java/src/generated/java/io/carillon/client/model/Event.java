// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `Event` of the API. */
public enum Event {
  CREATED,
  CHANGED,
  MOVED,
  REDRIVEN,
  GROUP_SHIFT,
  GROUP_CANCEL,
  ATTEMPT,
  DELIVERED,
  DEAD,
  EXPIRED,
  CANCELLED,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
