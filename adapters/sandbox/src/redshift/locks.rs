//! Locks: the locks that a transaction of Redshift holds on a table until its end, under snapshot isolation. INSERT and COPY
//! share a table, UPDATE and DELETE need it exclusively. PostgreSQL has no such locks, so they are advisory locks here.
//! PostgreSQL finds two transactions that wait for each other, and one of them fails.

use super::reader::Reader;
use super::words::telling;

/// A lock of a table, for a statement that changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// The table, as the statement names it.
    pub(super) table: String,
    /// Whether others may have it meanwhile.
    pub(super) is_shared: bool,
}

impl Lock {
    /// The lock that a statement takes, if it takes one.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let told = telling(sql);
        let mut reader = Reader { told: &told, at: 0 };
        let is_shared = if reader.take("insert") {
            reader.expect("into").ok()?;
            true
        } else if reader.take("copy") {
            true
        } else if reader.take("delete") {
            reader.expect("from").ok()?;
            false
        } else if reader.take("update") {
            false
        } else {
            return None;
        };
        Some(Self { table: reader.name().ok()?, is_shared })
    }

    /// What takes it, given the table. Temporary tables are nobody else's.
    pub(super) fn sql(&self) -> String {
        let shared = if self.is_shared { "_shared" } else { "" };
        format!(
            "SELECT pg_advisory_xact_lock{shared}(7240722, oid::integer) FROM pg_catalog.pg_class \
             WHERE oid = to_regclass($1) AND relpersistence = 'p'"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_which_table_it_changes_and_how() {
        for (sql, table, is_shared) in [
            ("/* x */ INSERT INTO \"a\".b (c) SELECT 1", "\"a\".b", true),
            ("copy a.b from 's3://x'", "a.b", true),
            ("UPDATE b SET c = 1", "b", false),
            ("DELETE FROM a.b USING c", "a.b", false),
        ] {
            assert_eq!(Lock::of(sql), Some(Lock { table: table.to_owned(), is_shared }), "{sql}");
        }
        assert_eq!(Lock::of("SELECT 1"), None);
        assert_eq!(Lock::of("LOCK TABLE a"), None);
    }
}
