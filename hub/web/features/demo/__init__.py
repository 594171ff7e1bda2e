"""The mailbox of the demonstration: letters that would have been sent."""
