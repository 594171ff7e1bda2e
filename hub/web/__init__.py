"""The portal: pages, fragments and the small JSON routes of their charts."""
