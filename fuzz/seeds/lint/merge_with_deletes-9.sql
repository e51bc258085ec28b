-- before: declare the columns [target=shop.orders, name_6af45545=order_id, type_eac5e59f=varchar(20), name_17db1627=line, type_819d3215=smallint, name_b7960e18=revision, type_5106564f=decimal(6,2), name_271116d9=changed_at, type_3a6b561d=timestamptz, name_50a09eb9=weight, type_d6dfb05d=real, name_a8901de9=extra, type_f77e01d4=super, name_a2d68bb4=_etalon_batch, type_bde64e3e=text, name_ed078b17=_etalon_offset, type_8a67a5ca=bigint, name_64170d2d=_etalon_time]
INSERT INTO "shop"."_etalon_columns" ("target", "position", "name", "type", "required")
VALUES (:target, 1, :name_6af45545, :type_eac5e59f, TRUE),
  (:target, 2, :name_17db1627, :type_819d3215, TRUE),
  (:target, 3, :name_b7960e18, :type_5106564f, TRUE),
  (:target, 4, :name_271116d9, :type_3a6b561d, TRUE),
  (:target, 5, :name_50a09eb9, :type_d6dfb05d, FALSE),
  (:target, 6, :name_a8901de9, :type_f77e01d4, FALSE),
  (:target, 7, :name_a2d68bb4, :type_bde64e3e, TRUE),
  (:target, 8, :name_ed078b17, :type_8a67a5ca, TRUE),
  (:target, 9, :name_64170d2d, :type_3a6b561d, TRUE)
