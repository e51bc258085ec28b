//! Laws of loading: what a warehouse does with batches is compared with a table in memory that keeps rows in a map.

mod model;

use std::cmp::Ordering;
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
use crate::warehouse::DELETED_COLUMN;
use crate::warehouse::Dedupe;
use crate::warehouse::Layout;
use crate::warehouse::LoadBatch;
use crate::warehouse::LoadCounts;
use crate::warehouse::Table;
use crate::warehouse::TableColumn;
use crate::warehouse::WriteMode;
use model::Model;

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
    /// Whether it deletes its key, where the table has deletes.
    pub deleted: bool,
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
/// rows, equal batch times, one source for several inputs, deletes of keys that come later.
pub fn cases() -> impl Strategy<Value = Case> {
    let order =
        select(vec![Type::Decimal { precision: 12, scale: 2 }, Type::Timestamp, Type::Varchar(8), Type::Double]);
    order.prop_flat_map(|order| {
        let column = |name: &str, ty, required| TableColumn { name: name.to_owned(), ty, required };
        let columns = vec![
            column("name", Type::Varchar(8), true),
            column("size", Type::Decimal { precision: 12, scale: 2 }, true),
            column("version", order, true),
            column("oid", Type::Timestamp, true),
            column("note", Type::Varchar(8), false),
            column("rowid", Type::Boolean, false),
        ];
        let cells: Vec<_> = columns.iter().map(cell).collect();
        let rows = vec((cells, 1..4_i64, prop::bool::weighted(0.3)), 0..6);
        let batches = vec((0..3_usize, 0..3_i64, 0..2_u32, rows), 1..6);
        let arrival = || vec((any::<u8>(), any::<bool>()), 6);
        (table(columns), batches, arrival(), arrival()).prop_map(|(table, batches, first, second)| Case {
            table,
            batches: batches.into_iter().enumerate().map(batch).collect(),
            arrivals: [first, second],
        })
    })
}

/// A table with these columns, of which the first two tell rows apart and the next two order them.
fn table(columns: Vec<TableColumn>) -> impl Strategy<Value = Table> {
    let ways = (0..10_u8, any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    (vec(0..2_usize, 1..3), vec(2..4_usize, 0..3), ways).prop_map(
        move |(mut key, mut order_by, (way, deletes, flag, lineage))| {
            key.dedup();
            order_by.dedup();
            let dedupe = flag.then(|| Dedupe { key: key.clone(), order_by: order_by.clone(), last: deletes });
            let (write, dedupe) = match way {
                0 => (WriteMode::Append, dedupe),
                1 => (WriteMode::Replace { allow_empty: deletes }, dedupe),
                2..=4 => (WriteMode::Scd2 { key, order_by: order_by.first().copied().unwrap_or(2) }, None),
                _ => (WriteMode::Merge { key, order_by }, None),
            };
            let is_scd2 = matches!(write, WriteMode::Scd2 { .. });
            let lineage = lineage || is_scd2;
            let deletes = deletes && lineage && (is_scd2 || matches!(write, WriteMode::Merge { .. }));
            let columns = columns.clone();
            let (name, layout) = ("things".to_owned(), Layout::default());
            Table { schema: None, name, columns, write, lineage, deletes, keeps_beaten: false, dedupe, layout }
        },
    )
}

type GeneratedBatch = (usize, i64, u32, Vec<(Vec<Cell>, i64, bool)>);

fn batch((number, (source, time, generation, rows)): (usize, GeneratedBatch)) -> (LoadBatch, Vec<Row>) {
    let mut offset = 0;
    let place = |(cells, step, deleted): (Vec<Cell>, i64, bool)| {
        offset += step;
        Row { cells, offset, deleted }
    };
    let rows: Vec<Row> = rows.into_iter().map(place).collect();
    let batch = LoadBatch {
        input: format!("input {number}"),
        // The name says nothing about the order in which batches were made.
        batch: format!("{}{number}", (number * 7) % 5),
        generation,
        source: ["a.csv", "b.csv", "c.csv"].get(source).copied().unwrap_or_default().to_owned(),
        source_version: "1".to_owned(),
        content: "1".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: time * 1_000_000,
        staged: rows.len() as u64,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
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
            match (bring(&mut warehouse, case, &load), model.load(&case.table, &load)) {
                (Ok(counts), Some(expected)) => {
                    assert!(counts.balance(), "{counts:?}");
                    assert_eq!(counts, expected);
                }
                (Err(error), None) => {
                    // A run that is too late is held: no later attempt is another.
                    assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Held), "{error}");
                    // A table that was never loaded need not be there.
                    if model.is_new() {
                        continue;
                    }
                }
                (done, expected) => panic!("{done:?} in place of {expected:?}"),
            }
            let mut rows = warehouse.rows(&case.table);
            rows.sort();
            assert_eq!(rows, model.rows(&case.table));
        }
        model.rows(&case.table)
    });
    let is_total = match &case.table.write {
        WriteMode::Append => true,
        WriteMode::Merge { order_by, .. } => case.table.lineage && !order_by.is_empty(),
        WriteMode::Scd2 { .. } => true,
        // What is one run is decided by who groups the batches.
        WriteMode::Replace { .. } => false,
    };
    if is_total {
        assert_eq!(tables[0], tables[1]);
    }
}

/// A batch that comes again is refused, and leaves the table as it was, alone or beside a new one.
pub fn loading_twice_is_loading_once<W: Loads>(case: &Case, mut warehouse: W) {
    let mut loaded = Vec::new();
    for load in loads(case, 0) {
        if bring(&mut warehouse, case, &load).is_ok() {
            loaded.extend(load);
        }
    }
    if loaded.is_empty() {
        return;
    }
    let mut before = warehouse.rows(&case.table);
    before.sort();
    for (batch, rows) in loaded {
        let fresh =
            LoadBatch { input: "new".to_owned(), batch: "new".to_owned(), staged: rows.len() as u64, ..batch.clone() };
        let both = [(fresh, rows.clone()), (batch, rows)];
        for load in [&both[..], &both[1..]] {
            // A run without rows is held before anything is asked.
            let is_empty = load.iter().all(|(_, rows)| rows.is_empty());
            let early = case.table.write == WriteMode::Replace { allow_empty: false } && is_empty;
            let expected = if early { ErrorKind::Held } else { ErrorKind::AlreadyExists };
            assert_eq!(bring(&mut warehouse, case, load).unwrap_err().kind(), expected);
        }
    }
    let mut after = warehouse.rows(&case.table);
    after.sort();
    assert_eq!(before, after);
}

/// What replaced batches brought is gone, whatever came first and however loads were made: versions of a source of which a
/// later one is there, and inputs that were loaded once more. Where a table keeps all that it was brought, or what was beaten is
/// kept beside it, it is the one that the batches which stay give alone. Loads after the first may lack the last two columns: a
/// row that was beaten has its values there when it comes back.
pub fn what_is_replaced_leaves_nothing<W: Loads>(case: &Case, new: impl Fn() -> W) {
    let keeps_all = match &case.table.write {
        WriteMode::Append => true,
        WriteMode::Merge { order_by, .. } => !order_by.is_empty(),
        WriteMode::Scd2 { .. } => true,
        WriteMode::Replace { .. } => false,
    };
    if !keeps_all {
        return;
    }
    let case = replacing(case);
    let is_later = |new: &LoadBatch, old: &LoadBatch| {
        new.source == old.source
            && (new.batch_time > old.batch_time || new.batch_time == old.batch_time && new.generation > old.generation)
    };
    let narrow = Case { table: without_last_columns(&case.table), ..case.clone() };
    for which in [0, 1] {
        let mut warehouse = new();
        let mut sum = LoadCounts::default();
        let mut staying = Vec::new();
        for (number, mut load) in loads(&case, which).into_iter().enumerate() {
            let is_narrow = number > 0 && case.arrivals[1 - which][number].1;
            let counts = bring(&mut warehouse, if is_narrow { &narrow } else { &case }, &load).unwrap();
            assert!(counts.balance(), "{counts:?}");
            sum.add(counts);
            if is_narrow {
                let rows = load.iter_mut().flat_map(|(_, rows)| rows);
                rows.for_each(|row| row.cells[narrow.table.columns.len()..].fill(Cell::Null));
            }
            staying.extend(load);
        }
        staying.retain(|(old, _)| !case.batches.iter().any(|(new, _)| is_later(new, old)));
        let mut model = Model::default();
        model.load(&case.table, &staying);
        let mut rows = warehouse.rows(&case.table);
        rows.sort();
        if !case.table.deletes {
            assert_eq!(rows.len() as u64, sum.inserted - sum.removed, "{sum:?}");
        }
        assert_eq!(rows, model.rows(&case.table));
    }
}

/// The table of a pipeline that has the last two columns no more, by which no row is told from another.
fn without_last_columns(table: &Table) -> Table {
    let columns = table.columns[..table.columns.len() - 2].to_vec();
    Table { columns, ..table.clone() }
}

/// The case with batches that take the place of others: a batch time is a version of its source, and what has both in common
/// is the same input once more.
fn replacing(case: &Case) -> Case {
    let mut case = Case { table: Table { lineage: true, keeps_beaten: true, ..case.table.clone() }, ..case.clone() };
    for place in 0..case.batches.len() {
        let (before, rest) = case.batches.split_at_mut(place);
        let Some((batch, _)) = rest.first_mut() else { continue };
        batch.source_version = format!("v{}", batch.batch_time);
        batch.input = format!("{} {}", batch.source, batch.source_version);
        batch.generation = before.iter().filter(|(earlier, _)| earlier.input == batch.input).count() as u32;
        batch.replaces_source = true;
        batch.replaces_generations = batch.generation > 0;
    }
    case
}

fn bring(warehouse: &mut impl Loads, case: &Case, load: &[(LoadBatch, Vec<Row>)]) -> Result<LoadCounts, Error> {
    let batches: Vec<LoadBatch> = load.iter().map(|(batch, _)| batch.clone()).collect();
    warehouse.load(&case.table, &batches, record_batch(&case.table, load))
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
    if table.deletes {
        let marks: BooleanArray = rows.iter().map(|(_, row)| Some(row.deleted)).collect();
        columns.push((DELETED_COLUMN.to_owned(), Arc::new(marks), false));
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
            Self::Double(value) => crate::value::float::print_double(*value),
            Self::Timestamp(micros) => {
                let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(*micros) * 1_000).unwrap().format(&form).unwrap()
            }
            Self::Text(text) => text.clone(),
        })
    }
}
