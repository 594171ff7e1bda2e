"""What the hub does, in domain words: one module a noun. No HTTP, no templates of pages, no SQL."""
