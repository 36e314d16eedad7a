package io.carillon.client;

import java.time.Instant;

/**
 * What the headers of a push say. Only webhookId and timestamp are signed, with the body.
 *
 * @param webhookId the same over all attempts of a task: the key to recognise a repeated push by
 * @param timestamp when this attempt was sent
 * @param attempt from 1; null, as are taskId and dueAt, where the header is not there
 */
public record Push(String webhookId, Instant timestamp, String taskId, Instant dueAt, Integer attempt) {}
