// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `Role` of the API. */
public enum Role {
  READ,
  WRITE,
  ADMIN,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
