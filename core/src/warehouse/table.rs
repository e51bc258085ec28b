//! Table: a target table as a checked pipeline describes it, and the names of the columns that Etalon adds.

use crate::types::Type;

/// The lineage column that names the batch a row came with.
pub const BATCH_COLUMN: &str = "_etalon_batch";
/// The lineage column that holds the offset of the row's record in the decoded stream.
pub const OFFSET_COLUMN: &str = "_etalon_offset";
/// The lineage column that holds the batch time.
pub const TIME_COLUMN: &str = "_etalon_time";
/// The staged column that is true if a row deletes its key; it comes after the pipeline's columns and before the lineage.
pub const DELETED_COLUMN: &str = "_etalon_deleted";
/// The column of an `scd2` target that holds the `order_by` of the version, since which it is valid.
pub(crate) const VALID_FROM_COLUMN: &str = "valid_from";
/// The column of an `scd2` target that holds the `order_by` of the next version; NULL where there is none.
pub(crate) const VALID_TO_COLUMN: &str = "valid_to";
/// The column of an `scd2` target that tells whether there is no next version.
pub(crate) const IS_CURRENT_COLUMN: &str = "is_current";

/// How the ledger calls a load that replaces all rows.
pub const WRITTEN_WHOLE: &str = "replace";
/// So long may the words be by which the ledger says how rows were written.
pub(crate) const WRITTEN_BYTES: usize = 1024;

/// A target table, as a checked pipeline describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `schema.table` or `table`; parts as they are, without quotes.
    pub schema: Option<String>,
    /// The table's name.
    pub name: String,
    /// The pipeline's columns, in order, without the lineage columns.
    pub columns: Vec<TableColumn>,
    /// How rows are written.
    pub write: WriteMode,
    /// Whether the lineage columns are there.
    pub lineage: bool,
    /// Whether staged rows have the column `_etalon_deleted`, which is true where a row deletes its key (`delete_when`).
    pub deletes: bool,
    /// Whether rows that lost against others are kept beside the table, so that they come back when the others are removed
    /// (`on_overwrite: replace`).
    pub keeps_beaten: bool,
    /// Which rows of a load are deduplicated, if the write mode does not say it.
    pub dedupe: Option<Dedupe>,
    /// How Redshift lays the table out.
    pub layout: Layout,
}

/// How Redshift lays a table out: positions in the pipeline's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The columns by which rows are sorted.
    pub sort_key: Vec<usize>,
    /// The column by which rows are distributed.
    pub dist_key: Option<usize>,
}

/// Which row stays if several rows of an object, or of a run that replaces all rows, have the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedupe {
    /// The columns that tell rows apart (positions in `columns`); never NULL.
    pub key: Vec<usize>,
    /// The columns that order the rows of a key; without them the rows are ordered by their places.
    pub order_by: Vec<usize>,
    /// Whether the last of them stays, not the first.
    pub last: bool,
}

/// A column of a target table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether NULL is refused.
    pub required: bool,
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteMode {
    /// Every row is added.
    Append,
    /// A row replaces the row with its key, unless that is newer.
    Merge {
        /// The columns that tell rows apart (positions in `columns`); never NULL.
        key: Vec<usize>,
        /// The columns that order versions (positions in `columns`); never NULL; may be empty: the last load wins.
        order_by: Vec<usize>,
    },
    /// The rows of the load replace all rows.
    Replace {
        /// Whether a load without rows may do so.
        allow_empty: bool,
    },
    /// A row is a version of its key, valid from its `order_by` to that of the next version.
    Scd2 {
        /// The columns that tell what a row is a version of (positions in `columns`); never NULL.
        key: Vec<usize>,
        /// The column that orders versions (a position in `columns`); never NULL.
        order_by: usize,
    },
}

impl WriteMode {
    /// The columns that tell rows apart, and those that order versions (positions in the table's columns): none where rows are
    /// added, or replace all others.
    pub fn identity(&self) -> (&[usize], &[usize]) {
        match self {
            Self::Append | Self::Replace { .. } => (&[], &[]),
            Self::Merge { key, order_by } => (key, order_by),
            Self::Scd2 { key, order_by } => (key, std::slice::from_ref(order_by)),
        }
    }
}

impl Table {
    /// How rows are written, in words that the ledger keeps: `append`, `replace`, `merge id order by at`, `scd2 id order by at`; then
    /// ` with deletes`, where rows delete their key.
    pub fn written(&self) -> String {
        let (key, order_by) = self.write.identity();
        let word = match &self.write {
            WriteMode::Append => "append",
            WriteMode::Replace { .. } => WRITTEN_WHOLE,
            WriteMode::Merge { .. } => "merge",
            WriteMode::Scd2 { .. } => "scd2",
        };
        let mut text = word.to_owned();
        for (before, columns) in [(" ", key), (" order by ", order_by)] {
            if !columns.is_empty() {
                text.push_str(before);
                text.push_str(&self.names(columns).join(", "));
            }
        }
        if self.deletes {
            text.push_str(" with deletes");
        }
        // As much as its column takes.
        text.truncate(text.floor_char_boundary(WRITTEN_BYTES));
        text
    }

    /// The names of the columns that tell rows apart.
    pub fn key(&self) -> Vec<&str> {
        self.names(self.write.identity().0)
    }

    fn names(&self, columns: &[usize]) -> Vec<&str> {
        columns.iter().filter_map(|column| self.columns.get(*column)).map(|column| column.name.as_str()).collect()
    }

    /// How rows that were mapped for another version of this table are written into it. What tells the table's rows apart, and
    /// what orders their versions, is what the table has now: rows that were mapped before its key was changed would displace rows
    /// of other keys. Rows that lack a column of it are written as they were meant to be.
    pub fn write_mapped_for(&self, before: &Self) -> WriteMode {
        let place = |now: &usize| {
            let column = self.columns.get(*now)?;
            before.columns.iter().position(|other| other.name == column.name && other.ty == column.ty && other.required)
        };
        let places = |columns: &[usize]| columns.iter().map(place).collect::<Option<Vec<usize>>>();
        let (key, order_by) = self.write.identity();
        match (&self.write, &before.write, places(key), places(order_by)) {
            (WriteMode::Merge { .. }, WriteMode::Merge { .. }, Some(key), Some(order_by)) => {
                WriteMode::Merge { key, order_by }
            }
            (WriteMode::Scd2 { .. }, WriteMode::Scd2 { .. }, Some(key), Some(order_by)) => match order_by.as_slice() {
                [order_by] => WriteMode::Scd2 { key, order_by: *order_by },
                _ => before.write.clone(),
            },
            _ => before.write.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, Type)], write: WriteMode) -> Table {
        let column = |(name, ty): &(&str, Type)| TableColumn { name: (*name).to_owned(), ty: *ty, required: true };
        Table {
            schema: None,
            name: "things".to_owned(),
            columns: columns.iter().map(column).collect(),
            write,
            lineage: true,
            deletes: false,
            keeps_beaten: false,
            dedupe: None,
            layout: Layout::default(),
        }
    }

    #[test]
    fn rows_are_written_by_the_key_that_their_table_has_now() {
        let merge =
            |key: &[usize], order_by: &[usize]| WriteMode::Merge { key: key.to_vec(), order_by: order_by.to_vec() };
        let (id, n, name) = (("id", Type::Bigint), ("n", Type::Integer), ("name", Type::Bigint));
        let before = table(&[name, n, id], merge(&[2], &[]));
        let now = |columns: &[(&str, Type)], write| table(columns, write).write_mapped_for(&before);
        assert_eq!(now(&[id, n], merge(&[0, 1], &[])), merge(&[2, 1], &[]));
        assert_eq!(now(&[id, n], merge(&[0], &[1])), merge(&[2], &[1]));
        assert_eq!(now(&[id, ("other", Type::Bigint)], merge(&[0, 1], &[])), before.write, "a column that they lack");
        assert_eq!(now(&[id, ("n", Type::Bigint)], merge(&[0, 1], &[])), before.write, "a column of another type");
        assert_eq!(now(&[id, n], WriteMode::Append), before.write);
        let versions = |key: usize, order_by: usize| WriteMode::Scd2 { key: vec![key], order_by };
        let before = table(&[name, n, id], versions(2, 1));
        assert_eq!(table(&[id, n, name], versions(2, 1)).write_mapped_for(&before), versions(0, 1));
        let may_lack = table(&[id, n], merge(&[0, 1], &[]));
        let mut before = table(&[n, id], merge(&[1], &[]));
        before.columns[0].required = false;
        assert_eq!(may_lack.write_mapped_for(&before), before.write, "a column that may be NULL tells no rows apart");
        assert_eq!((may_lack.key(), before.key()), (vec!["id", "n"], vec!["id"]));
    }
}
