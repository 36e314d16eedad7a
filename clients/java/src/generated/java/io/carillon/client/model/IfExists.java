// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `IfExists` of the API. */
public enum IfExists {
  REJECT,
  KEEP,
  REPLACE,
  EARLIEST,
  LATEST,
  ONCE,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
