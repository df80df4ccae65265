"""How a page and its charts are made, for the report as for the lessons."""
