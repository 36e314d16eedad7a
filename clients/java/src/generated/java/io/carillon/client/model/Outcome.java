// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `Outcome` of the API. */
public enum Outcome {
  DELIVERED,
  FAILED,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
