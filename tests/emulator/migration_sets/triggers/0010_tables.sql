CREATE TABLE stock (item TEXT PRIMARY KEY, amount INTEGER NOT NULL, level TEXT);
CREATE TABLE stock_log (item TEXT, at TEXT DEFAULT (datetime('now')));
INSERT INTO stock VALUES ('bolt', 5, NULL);
