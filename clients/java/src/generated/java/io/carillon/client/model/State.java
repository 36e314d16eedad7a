// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `State` of the API. */
public enum State {
  SCHEDULED,
  FIRING,
  RETRYING,
  DELIVERED,
  DEAD,
  EXPIRED,
  CANCELLED,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
