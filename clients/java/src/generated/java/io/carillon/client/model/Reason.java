// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `Reason` of the API. */
public enum Reason {
  TOO_MANY_REQUESTS,
  UNAVAILABLE,
  FAILING,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
