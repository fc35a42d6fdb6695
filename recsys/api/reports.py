"""`EvaluationReport`: what scripts and notebooks found, as files and in the log. Floor 3."""

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.api.runtime import runtime
from recsys.evaluation.report import EvaluationReport as ReportFiles

if TYPE_CHECKING:
    from recsys.api.session import Session


class EvaluationReport(ReportFiles):
    """What is known of one model version, gathered piece by piece. It need not be registered yet."""

    def save(self, folder: Path | str | None = None) -> Path:
        """Record the report, so that GET /reports has it, and write its files; return the path of the JSON.

        folder: of the JSON and of the page beside it, made if it is missing; None: reports/ in DATA_DIR. Saving again
        replaces all three; what has not changed is not recorded again. Raises what the store raises.
        """

        async def record(session: "Session") -> None:
            from recsys.api.session import METADATA
            from recsys.reports import reported, stream_of

            store, stream, told = session.services.store, stream_of(self.report_id), reported(self)
            version = await store.stream_version(stream)
            last = await store.read_stream(stream, after=max(0, version - 1))
            if [event.data for event in last] != [told]:
                await store.append(stream, [told], metadata=METADATA)

        runtime.call(record)
        return super().save(folder)
