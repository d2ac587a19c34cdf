"""The worker: messages in, outbox out, deadlines."""
