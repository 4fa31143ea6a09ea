"""The AWS services that moto plays, made durable: what was written survives a kill under the same ids."""
