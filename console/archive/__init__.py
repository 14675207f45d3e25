"""Archive: what was known when, and who decided what, in SQL. SQLite or PostgreSQL, by one address."""
