"""«Трансформаторы тока и напряжения»: the instrument transformers of a point."""
