"""Sign-in, registration and its confirmation."""
