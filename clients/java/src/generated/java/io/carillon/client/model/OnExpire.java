// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `OnExpire` of the API. */
public enum OnExpire {
  DROP,
  DEAD,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
