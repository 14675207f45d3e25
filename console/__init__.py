"""What a crisis cell says and is told: the message map and the digest; later the page for people."""
