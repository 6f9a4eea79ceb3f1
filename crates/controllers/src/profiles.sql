CREATE TABLE dataset_profiles (
    namespace TEXT NOT NULL,
    dataset TEXT NOT NULL,
    version BIGINT NOT NULL,
    content TEXT NOT NULL,
    at BIGINT NOT NULL,
    profile TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    PRIMARY KEY (namespace, dataset, version)
);
