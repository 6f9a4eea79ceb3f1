CREATE TABLE platform_belongs (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
