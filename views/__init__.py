"""What people look at: the genome browser page, track hubs, sessions and reports."""
