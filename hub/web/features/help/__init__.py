"""«Помощь»: one page a task, with pictures made by the tests."""
