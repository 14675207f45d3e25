"""Messages: what to say, agreed on beforehand: the message map, what fits now, what is filled in and signed."""
