"""One intake of a scheme: who may apply, what is asked, in which steps it is decided, and when."""
