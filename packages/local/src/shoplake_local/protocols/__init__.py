"""AWS's wire protocols on the server's side: requests become parameters, answers and errors become bytes."""
