package io.carillon.client;

/** A push that was not signed with one of your secrets, or not of late: answer it with 400 and do nothing. */
public final class SignatureException extends CarillonException {
  private static final long serialVersionUID = 1;

  SignatureException(String message) {
    super(message, false, null);
  }
}
