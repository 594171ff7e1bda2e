"""The portal as an app on a phone: its manifest, and what it shows without a connection."""
