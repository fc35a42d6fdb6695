CREATE TABLE reports (
    report_id     TEXT    NOT NULL PRIMARY KEY,
    model_id      TEXT    NOT NULL,     -- '' where it is about data alone
    model_version TEXT    NOT NULL,
    summary       BLOB    NOT NULL,     -- the JSON of projections.reports.ReportSummary
    report        BLOB    NOT NULL,     -- the JSON of events.catalog.EvaluationReported, without its profile
    position      INTEGER NOT NULL      -- of the event that told it last
) STRICT;

CREATE INDEX reports_by_position ON reports (position);
