"""What became of what was sent: state, findings, decision, messages."""
