CREATE TABLE predictions (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    namespace TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    probability DOUBLE PRECISION NOT NULL,
    latency BIGINT NOT NULL
);
CREATE INDEX predictions_by_namespace ON predictions (namespace, at);
