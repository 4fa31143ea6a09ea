"""What people see on stdout: each view takes a record or document and prints it; none loads anything."""
