"""Changes of a script's text that keep everything else as it stands."""
