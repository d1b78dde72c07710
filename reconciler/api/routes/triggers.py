"""Routes that make the loop fetch the repository and run a cycle now."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.api.responses import ApiResponse, error_response, view_response
from reconciler.api.routes.routing import ParsedRequest, Route, RouteAccess
from reconciler.api.routes.webhooks import BodyTooLongError, is_authentic
from reconciler.journal.errors import JournalError
from reconciler.runtime.reconcile_trigger import ReconcileTrigger
from reconciler.runtime.secret_files import SecretFile
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.times import NEVER
from reconciler.values.views import ReconcileView

NOT_STORED = {503: "The request could not be stored."}


@dataclass(frozen=True, slots=True)
class TriggerRoutes:
    """The routes; without a secret there is no webhook."""

    snapshots: SnapshotStore
    trigger: ReconcileTrigger
    secret: SecretFile[bytes] | None = None

    def routes(self) -> tuple[Route, ...]:
        """Reconcile, and the webhook of the forge."""
        return (
            Route(
                "post",
                "/api/v1/reconcile",
                "Fetch the repository and run a cycle now.",
                ReconcileView,
                self.reconcile,
                success=202,
                errors=NOT_STORED,
                access=RouteAccess.WRITE,
            ),
            Route(
                "post",
                "/hooks/git",
                "The same for a forge (GitHub, Gitea, Forgejo, GitLab); only the body's signature is read.",
                ReconcileView,
                self.hook,
                success=202,
                errors={403: "The signature is wrong.", 404: "No secret is configured."} | NOT_STORED,
                access=RouteAccess.HOOK,
            ),
        )

    async def reconcile(self, _: ParsedRequest) -> ApiResponse:
        return await self._request()

    async def hook(self, request: ParsedRequest) -> ApiResponse:
        if self.secret is None:
            return error_response(
                404, "no webhook is configured", "set listen.webhook_secret in the host file"
            )
        raw = request.raw
        try:
            authentic = await is_authentic(raw.headers, raw.content.iter_chunked(65_536), self.secret.content)
        except BodyTooLongError:
            return error_response(
                413, "the body is longer than a forge sends", "send the forge's own webhook"
            )
        if not authentic:
            return error_response(
                403,
                "the signature does not match the webhook secret",
                "set the secret of listen.webhook_secret at the forge; it signs the body "
                "(X-Hub-Signature-256 or X-Gitea-Signature), or sends it as X-Gitlab-Token",
            )
        return await self._request()

    async def _request(self) -> ApiResponse:
        try:
            await self.trigger.request()
        except (JournalError, OSError) as error:
            advice = "the next cycle runs on schedule"
            return error_response(503, f"the request could not be stored: {error}", advice)
        cycle = self.snapshots.snapshot.cycle
        return view_response(ReconcileView(cycle.finished_at if cycle else NEVER), 202)
