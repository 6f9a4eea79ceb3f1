CREATE TABLE served_statistics (
    view TEXT NOT NULL,
    hour BIGINT NOT NULL,
    source TEXT NOT NULL,
    served BIGINT NOT NULL,
    sample BLOB NOT NULL,
    PRIMARY KEY (view, hour, source)
);
CREATE INDEX served_statistics_by_hour ON served_statistics (hour);
