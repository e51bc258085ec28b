-- before: create Etalon's own tables
CREATE TABLE IF NOT EXISTS "shop"."_etalon_fence_orders" (
  "fence" boolean
)
