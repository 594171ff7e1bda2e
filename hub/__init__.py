"""An open metering hub."""
