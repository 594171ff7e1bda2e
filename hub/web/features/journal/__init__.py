"""What happened at a point, by the journals of its meters."""
