//! The model: a table in memory, with plain code for each write mode.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Cell;
use super::Row;
use crate::warehouse::LoadBatch;
use crate::warehouse::LoadCounts;
use crate::warehouse::Table;
use crate::warehouse::WriteMode;

/// The table in memory.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// By key; the rows of an append have their number as the key.
    stored: BTreeMap<Vec<String>, Version>,
    /// Versions that deleted their key, by key.
    deleted: BTreeMap<Vec<String>, Version>,
    /// The latest batch time of a load.
    latest: Option<i64>,
}

#[derive(Debug, Clone)]
struct Version {
    batch: LoadBatch,
    row: Row,
}

/// How versions are told apart and compared.
struct Order<'a> {
    key: Vec<usize>,
    order_by: &'a [usize],
    lineage: bool,
}

impl Model {
    /// What becomes of a load; `None` where it is refused.
    pub(super) fn load(&mut self, table: &Table, load: &[(LoadBatch, Vec<Row>)]) -> Option<LoadCounts> {
        let version = |batch: &LoadBatch, row: &Row| Version { batch: batch.clone(), row: row.clone() };
        let staged: Vec<Version> =
            load.iter().flat_map(|(batch, rows)| rows.iter().map(move |row| version(batch, row))).collect();
        let mut counts = LoadCounts { staged: staged.len() as u64, ..LoadCounts::default() };
        let run_time = load.iter().map(|(batch, _)| batch.batch_time).max();
        if let WriteMode::Replace { allow_empty } = table.write {
            if (staged.is_empty() && !allow_empty) || self.latest > run_time {
                return None;
            }
            counts.removed = self.stored.len() as u64;
            self.stored.clear();
        }
        self.latest = self.latest.max(run_time);
        match &table.write {
            WriteMode::Append | WriteMode::Replace { .. } => self.add(table, staged, &mut counts),
            WriteMode::Merge { key, order_by } => {
                let order = Order { key: key.clone(), order_by, lineage: true };
                self.merge(table, staged, &order, &mut counts);
            }
            WriteMode::Scd2 { key, order_by } => {
                let key = key.iter().copied().chain([*order_by]).collect();
                self.merge(table, staged, &Order { key, order_by: &[], lineage: true }, &mut counts);
            }
        }
        Some(counts)
    }

    /// Whether nothing was ever loaded.
    pub(super) fn is_new(&self) -> bool {
        self.latest.is_none()
    }

    /// Every row is a row of its own, but for those that `dedupe` drops.
    fn add(&mut self, table: &Table, staged: Vec<Version>, counts: &mut LoadCounts) {
        let kept = match &table.dedupe {
            None => staged,
            Some(dedupe) => {
                let order = Order { key: dedupe.key.clone(), order_by: &dedupe.order_by, lineage: true };
                // The rows of an object are compared with each other; of a run that replaces all rows, those of all its objects.
                let mut units: BTreeMap<Option<(String, u32)>, Vec<Version>> = BTreeMap::new();
                for version in staged {
                    let unit = (version.batch.input.clone(), version.batch.generation);
                    units.entry(Some(unit).filter(|_| table.write == WriteMode::Append)).or_default().push(version);
                }
                units
                    .into_values()
                    .flat_map(|staged| winners(staged, &order, dedupe.last, counts).into_values())
                    .collect()
            }
        };
        for version in kept {
            self.stored.insert(vec![format!("{:09}", self.stored.len())], version);
            counts.inserted += 1;
        }
    }

    /// The greatest version of each key stays.
    fn merge(&mut self, table: &Table, staged: Vec<Version>, order: &Order<'_>, counts: &mut LoadCounts) {
        let against = Order { lineage: table.lineage, key: Vec::new(), order_by: order.order_by };
        let last_load_wins = matches!(&table.write, WriteMode::Merge { order_by, .. } if order_by.is_empty());
        for (key, winner) in winners(staged, order, true, counts) {
            let (stored, deleted) = (self.stored.get(&key), self.deleted.get(&key));
            let texts = |version: &Version| version.row.cells.iter().map(Cell::text).collect::<Vec<_>>();
            let is_equal = stored.is_some_and(|stored| texts(&winner) == texts(stored));
            let is_newer = |other: &Version| last_load_wins || winner.compare(other, &against) == Ordering::Greater;
            if !stored.into_iter().chain(deleted).all(is_newer) {
                // Without lineage, a tie of all that is compared leaves the row that is there.
                if is_equal && !table.lineage {
                    counts.unchanged += 1;
                } else {
                    counts.superseded += 1;
                }
                continue;
            }
            if table.deletes && winner.row.deleted {
                counts.deleted += 1;
                self.stored.remove(&key);
                if !last_load_wins {
                    self.deleted.insert(key, winner);
                }
                continue;
            }
            match stored {
                None => counts.inserted += 1,
                Some(_) if is_equal => counts.unchanged += 1,
                Some(_) => counts.updated += 1,
            }
            self.deleted.remove(&key);
            self.stored.insert(key, winner);
        }
    }

    /// The rows as text, sorted.
    pub(super) fn rows(&self, table: &Table) -> Vec<Vec<Option<String>>> {
        let cells = |(key, version): (&Vec<String>, &Version)| {
            let mut cells: Vec<Option<String>> = version.row.cells.iter().map(Cell::text).collect();
            if let WriteMode::Scd2 { order_by, .. } = table.write {
                let next = self.next_version(key, version, order_by);
                cells.push(version.row.cells[order_by].text());
                cells.push(next.and_then(|next| next.row.cells[order_by].text()));
                cells.push(Some(next.is_none().to_string()));
            }
            if table.lineage {
                let time = Cell::Timestamp(version.batch.batch_time).text().unwrap().replace(' ', "T");
                cells.extend(
                    [version.batch.batch.clone(), version.row.offset.to_string(), format!("{time}Z")].map(Some),
                );
            }
            cells
        };
        let mut rows: Vec<_> = self.stored.iter().map(cells).collect();
        rows.sort();
        rows
    }

    /// The least version of the same key that is greater, deletes included.
    fn next_version(&self, key: &[String], version: &Version, order_by: usize) -> Option<&Version> {
        let key = &key[..key.len() - 1];
        let order = |left: &Version, right: &Version| left.row.cells[order_by].compare(&right.row.cells[order_by]);
        let all = self.stored.iter().chain(&self.deleted);
        let same_key = all.filter(|(other, _)| other[..other.len() - 1] == *key).map(|(_, other)| other);
        same_key.filter(|other| order(other, version) == Ordering::Greater).min_by(|left, right| order(left, right))
    }
}

/// The winner of each key; the others are deduplicated.
fn winners(
    staged: Vec<Version>,
    order: &Order<'_>,
    last: bool,
    counts: &mut LoadCounts,
) -> BTreeMap<Vec<String>, Version> {
    let mut winners: BTreeMap<Vec<String>, Version> = BTreeMap::new();
    for version in staged {
        let text = |&at: &usize| version.row.cells[at].text().unwrap().trim_end_matches(' ').to_owned();
        let key: Vec<String> = order.key.iter().map(text).collect();
        if let Some(best) = winners.get(&key) {
            counts.deduplicated += 1;
            let wanted = if last { Ordering::Greater } else { Ordering::Less };
            if version.compare(best, order) != wanted {
                continue;
            }
        }
        winners.insert(key, version);
    }
    winners
}

impl Version {
    /// The order of versions: of the columns, then of the lineage.
    fn compare(&self, other: &Self, order: &Order<'_>) -> Ordering {
        let columns = order.order_by.iter().map(|&at| self.row.cells[at].compare(&other.row.cells[at]));
        let columns = columns.fold(Ordering::Equal, Ordering::then);
        if !order.lineage {
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
