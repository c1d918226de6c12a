"""Countries and institutions of every kind: universities, ministries, embassies, councils, enterprises ..."""
