//! `etalon sample`: writes orders of a web shop, a few of them broken in many ways, and the pipeline that loads them.
//!
//! It also writes which mistakes it has planted, so that the counts of a run can be compared with them. The same number of rows
//! gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View, json, thousands};

/// Write a sample: a web shop's orders, a few of them broken in many ways, and their pipeline
#[derive(Debug, Args)]
pub(super) struct Sample {
    /// The folder to write to
    folder: PathBuf,
    /// How many orders
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    rows: u64,
    #[command(flatten)]
    written: Written,
}

/// The files that were written.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Files(Vec<SampleFile>);

#[derive(Debug, Serialize)]
struct SampleFile {
    file: String,
    bytes: u64,
}

/// What a run over the sample must find.
#[derive(Debug, Default, Serialize)]
struct Planted {
    read: u64,
    staged: u64,
    filtered: u64,
    quarantined: u64,
    /// Orders that stand twice, the later version second.
    deduplicated: u64,
    /// As the summary names them.
    reasons: BTreeMap<String, u64>,
}

const PIPELINE: &str = include_str!("sample.yaml");
const HEADER: &str = "id,customer,email,ordered_at,amount,currency,coupon,note\n";

/// The fields of an order, as they are written.
#[derive(Clone)]
struct Order {
    id: String,
    customer: String,
    email: String,
    ordered_at: String,
    amount: String,
    currency: String,
    coupon: String,
    note: String,
}

/// A way to break an order, and the reasons that must be found for it.
struct Break {
    reasons: &'static [&'static str],
    apply: fn(&mut Order),
}

const BREAKS: [Break; 14] = [
    Break { reasons: &["R301 column order_id"], apply: |order| order.id = format!("#{}", order.id) },
    Break { reasons: &["R302 column order_id"], apply: |order| order.id = format!("99999999999999{}", order.id) },
    Break { reasons: &["R331 column order_id"], apply: |order| order.id.clear() },
    Break { reasons: &["R331 column customer"], apply: |order| order.customer = "NULL".to_owned() },
    Break {
        reasons: &["R306 column customer"],
        apply: |order| order.customer = "Ωmega & Partners ".repeat(5).trim().to_owned(),
    },
    Break {
        reasons: &["R303 column ordered_at", "R303 column ordered_on"],
        apply: |order| order.ordered_at.replace_range(5..10, "02-30"),
    },
    Break {
        reasons: &["R304 column ordered_at", "R304 column ordered_on"],
        apply: |order| order.ordered_at = "yesterday".to_owned(),
    },
    Break { reasons: &["R301 column amount"], apply: |order| order.amount = order.amount.replace('.', "..") },
    Break { reasons: &["R307 column amount"], apply: |order| order.amount.push('5') },
    Break { reasons: &["R335 check amount_positive"], apply: |order| order.amount.insert(0, '-') },
    Break { reasons: &["R332 column currency"], apply: |order| order.currency = "XXX".to_owned() },
    Break { reasons: &["R333 column coupon"], apply: |order| order.coupon = "50 % OFF!".to_owned() },
    Break { reasons: &["R401 record"], apply: |order| order.note.push_str(",one field too many") },
    Break { reasons: &["R408 record"], apply: |order| order.note = "\"said \"yes\" to it\"".to_owned() },
];

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same for ever, which a library's generator need not be.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let position = self.below(from.len() as u64);
        from[usize::try_from(position).unwrap_or_default()]
    }
}

impl Verb for Sample {
    const NAME: &'static str = "sample";
    type Found = Files;

    fn carry_out(&self, _: Output) -> Result<Files, Failure> {
        let (orders, planted) = orders(self.rows);
        let folder = &self.folder;
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        let planted = json(&planted)?;
        let contents = [
            ("orders.csv", orders.as_slice()),
            ("orders.yaml", PIPELINE.as_bytes()),
            ("planted.json", planted.as_bytes()),
        ]
        .map(|(name, bytes)| (folder.join(name), bytes));
        // Somebody else's file of that name stays as it is.
        for (path, bytes) in &contents {
            match fs::read(path) {
                Ok(there) if there != *bytes => {
                    let message = format!("{}: another file of that name is there", path.display());
                    return Err(Failure::environment(message).with_help("give another folder, or remove the file"));
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Failure::file(path, &error)),
                _ => {}
            }
        }
        let mut files = Vec::new();
        for (path, bytes) in contents {
            fs::write(&path, bytes).map_err(|error| Failure::file(&path, &error))?;
            files.push(SampleFile { file: path.display().to_string(), bytes: bytes.len() as u64 });
        }
        Ok(Files(files))
    }
}

impl View for Files {
    fn table(&self) -> Table {
        let mut table = Table::new(vec![Column::new("file", Kind::Text), Column::new("bytes", Kind::Count)]);
        for SampleFile { file, bytes } in &self.0 {
            table.push(vec![Some(file.clone()), Some(bytes.to_string())]);
        }
        table
    }

    fn page(&self) -> String {
        self.0.iter().map(|SampleFile { file, bytes }| format!("{file}: {} bytes\n", thousands(*bytes))).collect()
    }
}

/// The orders as CSV, and what was planted in them.
fn orders(rows: u64) -> (Vec<u8>, Planted) {
    let mut chance = Chance(20_260_101);
    let mut planted = Planted::default();
    let mut bytes = HEADER.as_bytes().to_vec();
    let mut broken = 0;
    for row in 0..rows {
        planted.read += 1;
        let mut order = order(1_000_000 + row, &mut chance);
        match chance.below(1000) {
            0..10 => {
                let kind = broken % (BREAKS.len() + 1);
                broken += 1;
                planted.quarantined += 1;
                match BREAKS.get(kind) {
                    Some(way) => {
                        (way.apply)(&mut order);
                        write(&order, &mut bytes);
                        for &reason in way.reasons {
                            *planted.reasons.entry(reason.to_owned()).or_default() += 1;
                        }
                    }
                    // The last way cannot be written as text: a customer in Latin-1.
                    None => {
                        let before = bytes.len();
                        write(&order, &mut bytes);
                        if let Some(at) = bytes[before..].iter().position(|&byte| byte == b',') {
                            bytes.insert(before + at + 1, 0xe9);
                        }
                        *planted.reasons.entry("R403 record".to_owned()).or_default() += 1;
                    }
                }
                continue;
            }
            10..15 => {
                order.currency = "TEST".to_owned();
                planted.filtered += 1;
                write(&order, &mut bytes);
                continue;
            }
            15..20 => {
                // The order again, an hour later, with another amount.
                write(&order, &mut bytes);
                let hour: u64 = order.ordered_at[11..13].parse().unwrap_or_default();
                order.ordered_at.replace_range(11..13, &format!("{:02}", hour + 1));
                order.amount = amount(&mut chance);
                planted.read += 1;
                planted.staged += 1;
                planted.deduplicated += 1;
            }
            _ => {}
        }
        planted.staged += 1;
        write(&order, &mut bytes);
    }
    (bytes, planted)
}

fn order(id: u64, chance: &mut Chance) -> Order {
    const FIRST: [&str; 8] = ["Ada", "Grace", "Edsger", "Barbara", "Tony", "Frances", "Kurt", "Émilie"];
    const LAST: [&str; 8] = ["Lovelace", "Hopper", "Dijkstra", "Liskov", "Hoare", "Allen", "Gödel", "du Châtelet"];
    const NOTES: [&str; 6] =
        ["", "", "", "leave at the door", "\"ring twice, please\"", "\"two\nlines, and \"\"quotes\"\"\""];
    let (first, last) = (chance.pick(&FIRST), chance.pick(&LAST));
    let customer = format!("{first} {last}");
    Order {
        id: id.to_string(),
        email: format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase().replace(' ', "-")),
        customer: if chance.below(10) == 0 { format!("  {customer} ") } else { customer },
        ordered_at: format!(
            "2025-{:02}-{:02}T{:02}:{:02}:{:02}{}",
            chance.below(12) + 1,
            chance.below(28) + 1,
            chance.below(23),
            chance.below(60),
            chance.below(60),
            chance.pick(&["Z", "+02:00", "-05:30", ".25Z", ".123456Z"])
        ),
        amount: amount(chance),
        currency: chance.pick(&["EUR", "EUR", "USD", "GBP"]).to_owned(),
        coupon: chance.pick(&["", "", "none", "SPRING-25", "welcome"]).to_owned(),
        note: chance.pick(&NOTES).to_owned(),
    }
}

fn amount(chance: &mut Chance) -> String {
    format!("{}.{:02}", chance.below(2000) + 1, chance.below(100))
}

fn write(order: &Order, bytes: &mut Vec<u8>) {
    let fields = [
        &order.id,
        &order.customer,
        &order.email,
        &order.ordered_at,
        &order.amount,
        &order.currency,
        &order.coupon,
        &order.note,
    ];
    let line = fields.map(String::as_str).join(",");
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_of_rows_gives_the_same_bytes_and_sums_that_balance() {
        let (bytes, planted) = orders(5_000);
        assert_eq!(bytes, orders(5_000).0);
        assert_eq!(planted.read, planted.staged + planted.filtered + planted.quarantined);
        assert!(planted.quarantined > 20 && planted.deduplicated > 10 && planted.filtered > 10);
    }
}
