"""Runs as Step Functions tells of them: started, followed, listed, stopped, redriven; the same on AWS and on a laptop."""
