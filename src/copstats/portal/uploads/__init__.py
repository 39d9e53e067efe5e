"""How files come in: begun, sent in segments, resumed after a cut, acknowledged by a signed receipt."""
