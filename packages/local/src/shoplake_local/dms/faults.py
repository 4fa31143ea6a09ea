"""The errors of DMS's model, by its names."""

from shoplake_local.service import ServiceError

__all__ = ["access_denied", "already_exists", "invalid", "invalid_state", "not_found"]


def not_found(message: str) -> ServiceError:
    """ResourceNotFoundFault."""
    return ServiceError("ResourceNotFoundFault", message)


def already_exists(message: str) -> ServiceError:
    """ResourceAlreadyExistsFault."""
    return ServiceError("ResourceAlreadyExistsFault", message)


def invalid_state(message: str) -> ServiceError:
    """InvalidResourceStateFault."""
    return ServiceError("InvalidResourceStateFault", message)


def access_denied(message: str) -> ServiceError:
    """AccessDeniedFault."""
    return ServiceError("AccessDeniedFault", message)


def invalid(message: str) -> ServiceError:
    """ValidationException, for what AWS refuses and no shape of the model names."""
    return ServiceError("ValidationException", message)
