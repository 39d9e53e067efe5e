"""Where the secret keys of a home are kept, how they are locked, and their public parts."""
