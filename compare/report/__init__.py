"""How the results of a run are shown: in a terminal, as Markdown, CSV, JSON, LaTeX and HTML, and as charts."""
