"""«Мгновенные значения»: what a point's meter shows now."""
