"""What the bridge costs, beside the least that takes frames from TCP and publishes them."""
