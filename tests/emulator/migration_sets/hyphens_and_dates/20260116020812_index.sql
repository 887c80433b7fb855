CREATE INDEX shelf_place ON shelf (place);
