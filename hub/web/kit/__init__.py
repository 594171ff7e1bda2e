"""What every page needs: responses, words, formats, forms, charts, failures."""
