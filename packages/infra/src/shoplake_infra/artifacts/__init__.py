"""The code that is shipped to AWS, made from what is installed here."""
