"""The app, and the processes and connections that serve it."""
