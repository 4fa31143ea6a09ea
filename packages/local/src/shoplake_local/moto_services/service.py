"""One of moto's services as the front sees it: it takes the request as it came, already parsed, checked and allowed."""

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest, ParsedRequest

__all__ = ["MotoService"]


class MotoService:
    """Passes requests on to moto.

    Args:
        service_name: botocore's name.
        backends: Shared by all of moto's services.

    """

    def __init__(self, service_name: str, backends: MotoBackends) -> None:
        self.service_name = service_name
        self._backends = backends

    def answer(self, request: HttpRequest, parsed: ParsedRequest) -> HttpAnswer:
        """Moto's answer, in the service's protocol."""
        name = parsed.operation.name
        return self._backends.answer(self.service_name, name, request=request, parameters=parsed.parameters)

    def tags_of(self, arn: str) -> dict[str, str] | None:
        """The tags of a secret, none where there is no such one; None where this service cannot be asked for them."""
        if self.service_name != "secretsmanager":
            return None
        secret = self._backends.backend(self.service_name).secrets.get(arn)
        return {} if secret is None else {tag["Key"]: tag["Value"] for tag in secret.tags or ()}

    def close(self) -> None:
        """Close the journal that all of them share; a second time changes nothing."""
        self._backends.close()
