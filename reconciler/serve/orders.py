"""Routes that make the loop do something: look at the repository, and run a cycle, now."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.journal.faults import JournalError
from reconciler.serve.answers import moment
from reconciler.serve.bell import Bell
from reconciler.serve.board import Board
from reconciler.serve.hooks import TooLongError, is_proven
from reconciler.serve.replies import Reply, refused, shown
from reconciler.serve.secrets import SecretFile
from reconciler.serve.shapes_cycle import AskedAnswer
from reconciler.serve.table import Access, Asked, Route

UNKEPT = {503: "The request could not be kept."}


@dataclass(frozen=True, slots=True)
class Orders:
    """The routes; without a secret there is no webhook."""

    board: Board
    bell: Bell
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
                access=Access.ASK,
            ),
            Route(
                "post",
                "/hooks/git",
                "The same, asked by a forge (GitHub, Gitea, Forgejo, GitLab); its body only means: look now.",
                AskedAnswer,
                self.hook,
                success=202,
                refusals={403: "The sender has not proven the secret.", 404: "No secret is named."} | UNKEPT,
                access=Access.HOOK,
            ),
        )

    async def reconcile(self, _: Asked) -> Reply:
        return await self._ask()

    async def hook(self, asked: Asked) -> Reply:
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
