"""Pages of those who receive: reviewers decide, operators run the portal, auditors read the log."""
