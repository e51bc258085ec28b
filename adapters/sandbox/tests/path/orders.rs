//! Orders of a shop, day by day: new ones, changed ones, test orders that are left out, and some that are broken.

use std::fmt::Write;

/// The pipeline that loads them.
pub(crate) const PIPELINE: &str = "
etalon: 1
pipeline: orders
source:
  files: days/*.csv
  format: csv
  fields:
    id: bigint
    customer:
    ordered_at: { type: timestamptz, format: rfc3339 }
    amount: decimal(12,2)
    currency:
    note:
where: currency is distinct from 'TEST'
columns:
  order_id: { from: id, required: true }
  customer: { from: upper(trim(customer)), type: varchar(20), required: true }
  ordered_at: timestamptz required
  ordered_on: { from: ordered_at::date }
  amount: decimal(12,2) required
  currency: char(3)
  note: varchar(40)
checks:
  amount_positive: amount >= 0
limits: { rejects: 20% }
target: { table: analytics.orders, write: merge, key: order_id, order_by: ordered_at }
";
/// Where they go.
pub(crate) const TABLE: &str = "analytics.orders";
/// The columns that come from the orders alone.
pub(crate) const COLUMNS: &str = "order_id, customer, ordered_at, ordered_on, amount, currency, note";
/// Orders of a day, where nobody says how many.
const ORDERS: u32 = 2000;

/// The name of a day's object.
pub(crate) fn name(day: u32) -> String {
    format!("days/{:02}.csv", day + 1)
}

/// A number that somebody may say who calls the test.
pub(crate) fn number(variable: &str, otherwise: u32) -> u32 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// The orders of a day; a quarter of them stood there the day before.
pub(crate) fn day(day: u32) -> Vec<u8> {
    let orders = number("ETALON_ORDERS", ORDERS);
    let mut text = "id,customer,ordered_at,amount,currency,note\n".to_owned();
    for order in 0..orders {
        let id = day * (orders - orders / 4) + order;
        let amount = match order % 50 {
            7 => "much".to_owned(),
            9 => "-1.00".to_owned(),
            _ => format!("{}.{:02}", id * 7 % 900, id % 100),
        };
        let currency = ["EUR", "USD", "GBP", "TEST"][if order % 31 == 0 { 3 } else { (order % 3) as usize }];
        let note = ["", "ring, then wait", "\"grüße, \"\"Ada\"\"\"", "東京"][(order % 4) as usize];
        let note = if order % 4 == 1 { format!("\"{note}\"") } else { note.to_owned() };
        let (hour, minute) = (order / 60 % 24, order % 60);
        let _ = writeln!(
            text,
            "{id}, customer {} ,2026-04-{:02}T{hour:02}:{minute:02}:00+02:00,{amount},{currency},{note}",
            id % 97,
            day + 1
        );
    }
    text.into_bytes()
}
