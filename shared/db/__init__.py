"""Tables, SQL helpers and migrations that every domain shares."""
