"""What an office sends to a portal, from the command line."""
