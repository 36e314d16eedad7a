// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

/** `Kind` of the API. */
public enum Kind {
  HTTP,
  REDIS,
  AMQP,
  NATS,
  KAFKA,
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
