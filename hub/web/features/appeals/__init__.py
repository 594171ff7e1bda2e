"""Appeals to the supplier: the list, a new one, a thread."""
