-- before: ask for the target's columns [schema=shop, table=orders]
SELECT column_name FROM svv_columns
WHERE table_schema = :schema AND table_name = :table
