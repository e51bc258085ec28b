-- before: ask for the declared types [target=shop.orders]
SELECT "c"."name", "c"."type", "c"."required"
FROM "shop"."_etalon_columns" AS "c"
WHERE "c"."target" = :target
ORDER BY "c"."position"
