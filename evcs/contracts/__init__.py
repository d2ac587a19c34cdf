"""The contract of the system: topics, payloads, states, reasons, waits, ids, times, money, measurements."""
