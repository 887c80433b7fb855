create trigger stock_logged after update on stock
for each row
begin
  -- it's one row; for each change
  insert into stock_log (item) values (new.item);
end;
CREATE TRIGGER stock_levels AFTER INSERT ON stock WHEN new.level IS NULL BEGIN
  UPDATE stock SET level = CASE WHEN new.amount > 10 THEN 'full' ELSE 'low' END
  WHERE item = new.item;
END;
INSERT INTO stock VALUES ('nut', 50, NULL), ('gear', 1, NULL);
