"""The sample's pipeline (`etalon sample`) for pandas, vectorised, to be held against Etalon: `orders.py FILE.csv`.

It reads, maps, checks and stages, and says how many processor seconds and how much memory that took. It gives no reasons
for a reject, and leaves out the records that pandas cannot split. It needs pandas and pyarrow.
"""

import hashlib
import os
import resource
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = os.environ["ARROW_NUM_THREADS"] = "1"

import pandas as pd


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


path = sys.argv[1]
begun = time.process_time()
read = pd.read_csv(
    path, dtype=str, keep_default_na=False, na_values=["", "NULL"], on_bad_lines="skip", encoding_errors="replace"
)
reading = time.process_time() - begun
rows = read[read.currency != "TEST"]
out = pd.DataFrame()
ids = pd.to_numeric(rows.id, errors="coerce")
out["order_id"] = ids.where((ids % 1 == 0) & (ids.abs() < 2**53)).astype("Int64")
out["customer"] = rows.customer.str.strip().str.upper()
out["ordered_at"] = pd.to_datetime(rows.ordered_at, errors="coerce", utc=True, format="ISO8601")
out["ordered_on"] = out.ordered_at.dt.date
out["amount"] = pd.to_numeric(rows.amount, errors="coerce").round(2)
out["currency"] = rows.currency
coupon = rows.coupon.str.lower()
out["coupon"] = coupon.where(coupon != "none")
out["email_hash"] = rows.email.str.lower().map(digest, na_action="ignore")
out["note"] = rows.note
accepted = (
    out.order_id.notna()
    & out.customer.notna()
    & (out.customer.str.len() <= 64)
    & out.ordered_at.notna()
    & (out.amount >= 0)
    & out.currency.isin(["EUR", "USD", "GBP"])
    & (out.coupon.isna() | out.coupon.str.fullmatch("[a-z0-9-]+").fillna(False))
    & (out.note.isna() | (out.note.str.len() <= 200))
)
with tempfile.TemporaryDirectory() as folder:
    out[accepted].to_parquet(f"{folder}/accepted.parquet", compression="snappy")
    out[~accepted].to_json(f"{folder}/rejected.jsonl", orient="records", lines=True, date_format="iso")
seconds = time.process_time() - begun
size = os.path.getsize(path) / (1 << 20)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(
    f"{len(read)} rows, {size:.1f} MiB, {seconds:.2f} CPU s ({reading:.2f} reading), {size / seconds:.1f} MiB a CPU second, peak {peak} MiB"
)
