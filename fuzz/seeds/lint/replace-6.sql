-- before: create the target
CREATE TABLE "shop"."orders" (
  "order_id" varchar(20) NOT NULL,
  "line" smallint NOT NULL,
  "revision" decimal(6,2) NOT NULL,
  "changed_at" timestamptz NOT NULL,
  "weight" real,
  "extra" super,
  "_etalon_batch" varchar(256) NOT NULL,
  "_etalon_offset" bigint NOT NULL,
  "_etalon_time" timestamptz NOT NULL
) DISTKEY ("order_id") SORTKEY ("changed_at", "line")
