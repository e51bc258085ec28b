//! Laws of loading: what a warehouse does with batches, held against a table in memory that keeps rows in a map.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Decimal128Array;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::types::Type;
use crate::warehouse::Layout;
use crate::warehouse::LoadBatch;
use crate::warehouse::LoadCounts;
use crate::warehouse::Table;
use crate::warehouse::TableColumn;
use crate::warehouse::WriteMode;

/// What the laws ask of a warehouse.
pub trait Loads {
    /// Loads batches in one transaction.
    fn load(&mut self, table: &Table, batches: &[LoadBatch], rows: RecordBatch) -> Result<LoadCounts, Error>;
    /// Every row of the table as text, in any order.
    fn rows(&mut self, table: &Table) -> Vec<Vec<Option<String>>>;
}

/// A table, the batches that come to it, and two ways in which they may arrive.
#[derive(Debug, Clone)]
pub struct Case {
    /// The table.
    pub table: Table,
    /// The batches and their rows.
    pub batches: Vec<(LoadBatch, Vec<Row>)>,
    /// For each batch, a number to sort by and whether a new load begins with it: once, and once again.
    pub arrivals: [Vec<(u8, bool)>; 2],
}

/// A row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One a column.
    pub cells: Vec<Cell>,
    /// The record's place.
    pub offset: i64,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A decimal, unscaled, of two digits after the point.
    Decimal(i128),
    /// A double.
    Double(f64),
    /// A timestamp.
    Timestamp(i64),
    /// A text.
    Text(String),
}

/// Tables of every way of writing, and batches full of ties: equal keys that differ in trailing blanks, equal orders, equal
/// rows, equal batch times, one source for several inputs.
pub fn cases() -> impl Strategy<Value = Case> {
    let order =
        select(vec![Type::Decimal { precision: 12, scale: 2 }, Type::Timestamp, Type::Varchar(8), Type::Double]);
    let modes = (vec(0..2_usize, 1..3), vec(2..4_usize, 0..3), 0..5_u8, prop::bool::weighted(0.8));
    (order, modes).prop_flat_map(|(order, (mut key, mut order_by, mode, lineage))| {
        key.dedup();
        order_by.dedup();
        let column = |name: &str, ty, required| TableColumn { name: name.to_owned(), ty, required };
        let columns = vec![
            column("name", Type::Varchar(8), true),
            column("size", Type::Decimal { precision: 12, scale: 2 }, true),
            column("version", order, true),
            column("oid", Type::Timestamp, true),
            column("note", Type::Varchar(8), false),
            column("rowid", Type::Boolean, false),
        ];
        let rows = vec((columns.iter().map(cell).collect::<Vec<_>>(), 1..4_i64), 0..6);
        let batches = vec((0..3_usize, 0..3_i64, 0..2_u32, rows), 1..6);
        let write = if mode == 0 { WriteMode::Append } else { WriteMode::Merge { key, order_by } };
        let table = Table {
            schema: None,
            name: "things".to_owned(),
            columns,
            write,
            lineage,
            deletes: false,
            dedupe: None,
            layout: Layout::default(),
        };
        let arrival = || vec((any::<u8>(), any::<bool>()), 6);
        (Just(table), batches, arrival(), arrival()).prop_map(|(table, batches, first, second)| Case {
            table,
            batches: batches.into_iter().enumerate().map(batch).collect(),
            arrivals: [first, second],
        })
    })
}

type GeneratedBatch = (usize, i64, u32, Vec<(Vec<Cell>, i64)>);

fn batch((number, (source, time, generation, rows)): (usize, GeneratedBatch)) -> (LoadBatch, Vec<Row>) {
    let mut offset = 0;
    let place = |(cells, step): (Vec<Cell>, i64)| {
        offset += step;
        Row { cells, offset }
    };
    let rows: Vec<Row> = rows.into_iter().map(place).collect();
    let batch = LoadBatch {
        input: format!("input {number}"),
        // The name says nothing about the order in which batches were made.
        batch: format!("{}{number}", (number * 7) % 5),
        generation,
        source: ["a.csv", "b.csv", "c.csv"].get(source).copied().unwrap_or_default().to_owned(),
        source_version: "1".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: time * 1_000_000,
        staged: rows.len() as u64,
        replaces_source: false,
    };
    (batch, rows)
}

fn cell(column: &TableColumn) -> BoxedStrategy<Cell> {
    let some = match column.ty {
        Type::Boolean => any::<bool>().prop_map(Cell::Boolean).boxed(),
        Type::Decimal { .. } => {
            select(vec![-1_000, -105, -5, 0, 5, 99, 100, 1_000, 99_999_999_i128]).prop_map(Cell::Decimal).boxed()
        }
        Type::Double => select(vec![f64::NEG_INFINITY, -1.5, 0.0, 2.0, 10.0, f64::INFINITY, f64::NAN])
            .prop_map(Cell::Double)
            .boxed(),
        Type::Timestamp => {
            select(vec![-62_135_596_800_000_000, -1, 0, 1, 1_769_000_000_123_456_i64]).prop_map(Cell::Timestamp).boxed()
        }
        _ => select(vec!["a", "a ", "a  ", " a", "b", "é", ""]).prop_map(|text| Cell::Text(text.to_owned())).boxed(),
    };
    if column.required { some } else { prop_oneof![1 => Just(Cell::Null), 3 => some].boxed() }
}

/// The table is what the model says after every sequence of loads, the counts are the model's, and where versions have a
/// total order the table is the same for every order of arrival and every grouping into loads.
pub fn any_order_of_arrival_gives_the_same_table<W: Loads>(case: &Case, new: impl Fn() -> W) {
    let tables = [0, 1].map(|which| {
        let mut warehouse = new();
        let mut model = Model::default();
        for load in loads(case, which) {
            let batches: Vec<LoadBatch> = load.iter().map(|(batch, _)| batch.clone()).collect();
            let counts = warehouse.load(&case.table, &batches, record_batch(&case.table, &load)).unwrap();
            assert!(counts.balance(), "{counts:?}");
            assert_eq!(counts, model.load(&case.table, &load));
            let mut rows = warehouse.rows(&case.table);
            rows.sort();
            assert_eq!(rows, model.rows(&case.table));
        }
        model.rows(&case.table)
    });
    let is_total = match &case.table.write {
        WriteMode::Append | WriteMode::Scd2 { .. } => true,
        WriteMode::Replace { .. } => false,
        WriteMode::Merge { order_by, .. } => case.table.lineage && !order_by.is_empty(),
    };
    if is_total {
        assert_eq!(tables[0], tables[1]);
    }
}

/// A batch that comes again is refused, and leaves the table as it was, alone or beside a new one.
pub fn loading_twice_is_loading_once<W: Loads>(case: &Case, mut warehouse: W) {
    for load in loads(case, 0) {
        let batches: Vec<LoadBatch> = load.iter().map(|(batch, _)| batch.clone()).collect();
        warehouse.load(&case.table, &batches, record_batch(&case.table, &load)).unwrap();
    }
    let mut before = warehouse.rows(&case.table);
    before.sort();
    for (batch, rows) in &case.batches {
        let fresh =
            LoadBatch { input: "new".to_owned(), batch: "new".to_owned(), staged: rows.len() as u64, ..batch.clone() };
        let again = [(fresh.clone(), rows.clone()), (batch.clone(), rows.clone())];
        let both = warehouse.load(&case.table, &[fresh, batch.clone()], record_batch(&case.table, &again));
        let alone = warehouse.load(&case.table, std::slice::from_ref(batch), record_batch(&case.table, &again[1..]));
        for result in [both, alone] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
    }
    let mut after = warehouse.rows(&case.table);
    after.sort();
    assert_eq!(before, after);
}

fn loads(case: &Case, which: usize) -> Vec<Vec<(LoadBatch, Vec<Row>)>> {
    let mut arrivals: Vec<_> = case.batches.iter().zip(&case.arrivals[which]).collect();
    arrivals.sort_by_key(|(_, (place, _))| *place);
    let mut loads: Vec<Vec<_>> = Vec::new();
    for (batch, (_, begins)) in arrivals {
        match loads.last_mut() {
            Some(load) if !begins => load.push(batch.clone()),
            _ => loads.push(vec![batch.clone()]),
        }
    }
    loads
}

/// The rows of batches as they are staged.
pub fn record_batch(table: &Table, batches: &[(LoadBatch, Vec<Row>)]) -> RecordBatch {
    let rows: Vec<(&LoadBatch, &Row)> =
        batches.iter().flat_map(|(batch, rows)| rows.iter().map(move |row| (batch, row))).collect();
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for (position, column) in table.columns.iter().enumerate() {
        let cells = rows.iter().map(|(_, row)| &row.cells[position]);
        columns.push((column.name.clone(), array(column.ty, cells), true));
    }
    let names: StringViewArray = rows.iter().map(|(batch, _)| Some(batch.batch.as_str())).collect();
    let offsets: Int64Array = rows.iter().map(|(_, row)| row.offset).collect();
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|(batch, _)| batch.batch_time));
    columns.push(("_etalon_batch".to_owned(), Arc::new(names), false));
    columns.push(("_etalon_offset".to_owned(), Arc::new(offsets), false));
    columns.push(("_etalon_time".to_owned(), Arc::new(times.with_timezone("UTC")), false));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn array<'a>(ty: Type, cells: impl Iterator<Item = &'a Cell>) -> ArrayRef {
    macro_rules! values {
        ($variant:ident) => {
            cells.map(|cell| if let Cell::$variant(value) = cell { Some(value.clone()) } else { None })
        };
    }
    match ty {
        Type::Boolean => Arc::new(values!(Boolean).collect::<BooleanArray>()),
        Type::Double => Arc::new(values!(Double).collect::<Float64Array>()),
        Type::Timestamp => Arc::new(TimestampMicrosecondArray::from(values!(Timestamp).collect::<Vec<_>>())),
        Type::Decimal { .. } => {
            Arc::new(values!(Decimal).collect::<Decimal128Array>().with_precision_and_scale(12, 2).unwrap())
        }
        _ => Arc::new(values!(Text).collect::<StringViewArray>()),
    }
}

/// The table in memory.
#[derive(Debug, Default)]
struct Model {
    /// By key; the rows of an append have their number as the key.
    stored: BTreeMap<Vec<String>, Version>,
}

#[derive(Debug, Clone)]
struct Version {
    batch: LoadBatch,
    row: Row,
}

impl Model {
    fn load(&mut self, table: &Table, load: &[(LoadBatch, Vec<Row>)]) -> LoadCounts {
        let version = |batch: &LoadBatch, row: &Row| Version { batch: batch.clone(), row: row.clone() };
        let staged: Vec<Version> =
            load.iter().flat_map(|(batch, rows)| rows.iter().map(move |row| version(batch, row))).collect();
        let mut counts = LoadCounts { staged: staged.len() as u64, ..LoadCounts::default() };
        let WriteMode::Merge { key, order_by } = &table.write else {
            for version in staged {
                self.stored.insert(vec![format!("{:09}", self.stored.len())], version);
                counts.inserted += 1;
            }
            return counts;
        };
        let mut winners: BTreeMap<Vec<String>, Version> = BTreeMap::new();
        for version in staged {
            let key =
                key.iter().map(|&at| version.row.cells[at].text().unwrap().trim_end_matches(' ').to_owned()).collect();
            match winners.get(&key) {
                Some(best) => {
                    counts.deduplicated += 1;
                    if version.compare(best, order_by, true) == Ordering::Greater {
                        winners.insert(key, version);
                    }
                }
                None => {
                    winners.insert(key, version);
                }
            }
        }
        for (key, winner) in winners {
            let Some(stored) = self.stored.get(&key) else {
                counts.inserted += 1;
                self.stored.insert(key, winner);
                continue;
            };
            let texts = |version: &Version| version.row.cells.iter().map(Cell::text).collect::<Vec<_>>();
            let is_equal = texts(&winner) == texts(stored);
            let order = winner.compare(stored, order_by, table.lineage);
            if order_by.is_empty() || order == Ordering::Greater {
                if is_equal {
                    counts.unchanged += 1
                } else {
                    counts.updated += 1
                }
                self.stored.insert(key, winner);
            } else if is_equal && !table.lineage {
                counts.unchanged += 1;
            } else {
                counts.superseded += 1;
            }
        }
        counts
    }

    fn rows(&self, table: &Table) -> Vec<Vec<Option<String>>> {
        let cells = |version: &Version| {
            let mut cells: Vec<Option<String>> = version.row.cells.iter().map(Cell::text).collect();
            if table.lineage {
                let time = Cell::Timestamp(version.batch.batch_time).text().unwrap().replace(' ', "T");
                cells.extend(
                    [version.batch.batch.clone(), version.row.offset.to_string(), format!("{time}Z")].map(Some),
                );
            }
            cells
        };
        let mut rows: Vec<_> = self.stored.values().map(cells).collect();
        rows.sort();
        rows
    }
}

impl Version {
    /// The order of versions: of the columns, then of the lineage.
    fn compare(&self, other: &Self, order_by: &[usize], lineage: bool) -> Ordering {
        let columns = order_by.iter().map(|&at| self.row.cells[at].compare(&other.row.cells[at]));
        let columns = columns.fold(Ordering::Equal, Ordering::then);
        if !lineage {
            return columns;
        }
        columns
            .then(self.batch.batch_time.cmp(&other.batch.batch_time))
            .then_with(|| self.batch.source.cmp(&other.batch.source))
            .then(self.row.offset.cmp(&other.row.offset))
            .then(self.batch.generation.cmp(&other.batch.generation))
            .then_with(|| self.batch.batch.cmp(&other.batch.batch))
    }
}

impl Cell {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Decimal(left), Self::Decimal(right)) => left.cmp(right),
            (Self::Timestamp(left), Self::Timestamp(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.trim_end_matches(' ').cmp(right.trim_end_matches(' ')),
            // NaN equals itself and is above all numbers.
            (Self::Double(left), Self::Double(right)) => {
                left.partial_cmp(right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
            }
            _ => Ordering::Equal,
        }
    }

    fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::Decimal(value) => {
                let sign = if *value < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", value.abs() / 100, value.abs() % 100)
            }
            Self::Double(value) => format!("{value:?}"),
            Self::Timestamp(micros) => {
                let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(*micros) * 1_000).unwrap().format(&form).unwrap()
            }
            Self::Text(text) => text.clone(),
        })
    }
}
