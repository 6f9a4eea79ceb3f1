CREATE TABLE dataset_results (
    namespace TEXT NOT NULL,
    dataset TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    input_digest TEXT NOT NULL,
    version BIGINT,
    rows_read BIGINT NOT NULL,
    rows_kept BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    outcomes TEXT NOT NULL,
    PRIMARY KEY (namespace, dataset, number)
);
