CREATE VIEW wide AS SELECT * FROM shelf WHERE width > 2;
