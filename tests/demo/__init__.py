"""The demo: its project, its playback, its driver."""
