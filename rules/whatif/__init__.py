"""What a recorded day would have been under other figures: the same engine, the recorded cars."""
