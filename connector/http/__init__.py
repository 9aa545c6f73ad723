"""How the connector speaks HTTP: guarded, paced, with one total deadline for each call."""
