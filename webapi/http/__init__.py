"""What every HTTP endpoint shares."""
