"""What the mini program and the driver page need beyond orders: sign-in, places, guns by their QR code."""
