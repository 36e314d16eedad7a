package io.carillon.client;

import java.util.List;

/** A page of a list, and the cursor of the next one. */
record Page<T>(List<T> items, String cursor, Object silentShards) {
  /** This page, from which no shard's items may be missing. */
  Page<T> whole() {
    if (silentShards == null) return this;
    String message = "the list is not whole, shards " + silentShards + " did not answer; begin again";
    throw new CarillonException(message, false, null);
  }
}
