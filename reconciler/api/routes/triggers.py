"""Routes that make the loop do something: look at the repository, and run a cycle, now."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.api.responses import Reply, refused, shown
from reconciler.api.routes.routing import ParsedRequest, Route, RouteAccess
from reconciler.api.routes.webhooks import TooLongError, is_proven
from reconciler.api.views.schemas_cycle import AskedAnswer
from reconciler.api.views.views import moment
from reconciler.journal.faults import JournalError
from reconciler.runtime.reconcile_trigger import ReconcileTrigger
from reconciler.runtime.secret_files import SecretFile
from reconciler.runtime.snapshot_store import SnapshotStore

UNKEPT = {503: "The request could not be kept."}


@dataclass(frozen=True, slots=True)
class TriggerRoutes:
    """The routes; without a secret there is no webhook."""

    board: SnapshotStore
    bell: ReconcileTrigger
    secret: SecretFile[bytes] | None = None

    def routes(self) -> tuple[Route, ...]:
        """Both; the webhook proves itself."""
        return (
            Route(
                "post",
                "/api/v1/reconcile",
                "Look at the repository, and run a cycle, now.",
                AskedAnswer,
                self.reconcile,
                success=202,
                refusals=UNKEPT,
                access=RouteAccess.WRITE,
            ),
            Route(
                "post",
                "/hooks/git",
                "The same, asked by a forge (GitHub, Gitea, Forgejo, GitLab); its body only means: look now.",
                AskedAnswer,
                self.hook,
                success=202,
                refusals={403: "The sender has not proven the secret.", 404: "No secret is named."} | UNKEPT,
                access=RouteAccess.HOOK,
            ),
        )

    async def reconcile(self, _: ParsedRequest) -> Reply:
        return await self._ask()

    async def hook(self, asked: ParsedRequest) -> Reply:
        if self.secret is None:
            return refused(404, "no webhook is set up here", "name listen.webhook_secret in the host file")
        request = asked.request
        try:
            proven = await is_proven(
                request.headers, request.content.iter_chunked(65_536), self.secret.content
            )
        except TooLongError:
            return refused(413, "the body is longer than any forge sends", "send the forge's own webhook")
        if not proven:
            return refused(
                403,
                "the sender has not proven that it knows the secret",
                "give the forge the secret of listen.webhook_secret; it signs the body with it "
                "(X-Hub-Signature-256 or X-Gitea-Signature), or sends it as X-Gitlab-Token",
            )
        return await self._ask()

    async def _ask(self) -> Reply:
        try:
            await self.bell.ask()
        except (JournalError, OSError) as error:
            return refused(503, f"the request could not be kept: {error}", "the loop goes on as it is")
        cycle = self.board.snapshot.cycle
        return shown(
            AskedAnswer(asked=True, cycle_finished_at=moment(cycle.finished_at) if cycle else None), 202
        )
