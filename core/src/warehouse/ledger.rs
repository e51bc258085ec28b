//! Ledger: which inputs a warehouse holds, and what became of their rows. It is written in the transaction of the rows.
//!
//! One row per target table and batch; an input that was cut has several, all of one load. A load asks first whether an input
//! is there in its generation, and inserts its rows before anything else: the statements after it find the source and the
//! generation of every batch, of this load and of earlier ones, in one place.

use crate::types::Type;
use crate::warehouse::LoadBatch;
use crate::warehouse::LoadCounts;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::quote::Identifier;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::Statement;
use crate::warehouse::sql::print;

/// The ledger's table.
pub const LEDGER_TABLE: &str = "_etalon_ledger";

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// What was loaded.
    pub batch: LoadBatch,
    /// What became of its rows. They balance, a batch each.
    pub counts: LoadCounts,
    /// When it was loaded, in microseconds since 1970, UTC; the caller's clock.
    pub loaded_at: i64,
}

/// The ledger's columns, in order, and their types.
const COLUMNS: [(&str, Type); 16] = [
    ("target", Type::Text),
    ("input", Type::Text),
    ("generation", Type::Bigint),
    ("batch", Type::Text),
    ("source", Type::Text),
    ("source_version", Type::Text),
    ("fingerprint", Type::Text),
    ("batch_time", Type::Timestamptz),
    ("replaces_source", Type::Boolean),
    ("loaded_at", Type::Timestamptz),
    ("staged", Type::Bigint),
    ("inserted", Type::Bigint),
    ("updated", Type::Bigint),
    ("unchanged", Type::Bigint),
    ("deduplicated", Type::Bigint),
    ("superseded", Type::Bigint),
];

/// The statements over the ledger alone. The target's name is always parameter 1.
#[derive(Debug, Clone)]
pub struct LedgerStatements {
    /// Creates the ledger, unless it is there.
    pub create: String,
    /// Adds a row: all columns in order, as [`LedgerStatements::select`] gives them, after the target's name.
    pub insert: String,
    /// Sets the five outcomes (parameters 3 to 7: inserted, updated, unchanged, deduplicated, superseded) of a batch (2).
    pub settle: String,
    /// Selects the rows of a target in the order of loading, all columns in order without the target's name.
    pub select: String,
    /// Counts the rows of an input (2) and generation (3).
    pub is_loaded: String,
}

impl LedgerStatements {
    /// The statements as a dialect has them.
    pub fn new(dialect: Dialect) -> Self {
        let of_target = Expr::bare("target").equal(Expr::Parameter(1));
        let create = Statement::CreateTable(CreateTable {
            table: table(),
            temporary: false,
            if_absent: true,
            columns: COLUMNS
                .iter()
                .map(|&(name, ty)| ColumnDefinition { name: Identifier::own(name), ty, required: true })
                .collect(),
            primary_key: ["target", "batch"].map(Identifier::own).to_vec(),
            // They are there as indexes: a load asks for its inputs, and for the batches of its sources.
            unique: vec![
                ["target", "input", "generation", "batch"].map(Identifier::own).to_vec(),
                ["target", "source", "batch"].map(Identifier::own).to_vec(),
            ],
        });
        let insert = Statement::Insert {
            into: table(),
            columns: COLUMNS.iter().map(|&(name, _)| Identifier::own(name)).collect(),
            rows: Rows::Parameters(1),
        };
        let outcomes = COLUMNS.iter().skip_while(|&&(name, _)| name != "inserted");
        let settle = Statement::Update {
            table: table(),
            set: outcomes.zip(3..).map(|(&(name, _), at)| (Identifier::own(name), Expr::Parameter(at))).collect(),
            filter: Expr::All(vec![of_target.clone(), Expr::bare("batch").equal(Expr::Parameter(2))]),
        };
        let select = Statement::Select(Select {
            columns: COLUMNS.iter().skip(1).map(|&(name, _)| (Expr::bare(name), None)).collect(),
            from: Some((Source::Table(table()), Identifier::own("l"))),
            filter: Some(of_target.clone()),
            order_by: ["loaded_at", "batch_time", "source", "input", "generation"].map(Expr::bare).to_vec(),
            ..Select::default()
        });
        let is_loaded = Statement::Select(Select {
            columns: vec![(Expr::CountRows, None)],
            from: Some((Source::Table(table()), Identifier::own("l"))),
            filter: Some(Expr::All(vec![
                of_target,
                Expr::bare("input").equal(Expr::Parameter(2)),
                Expr::bare("generation").equal(Expr::Parameter(3)),
            ])),
            ..Select::default()
        });
        let text = |statement| print(&statement, dialect);
        Self {
            create: text(create),
            insert: text(insert),
            settle: text(settle),
            select: text(select),
            is_loaded: text(is_loaded),
        }
    }
}

/// The ledger's name.
pub(crate) fn table() -> Identifier {
    Identifier::own(LEDGER_TABLE)
}

/// One column of the ledger's row of a batch.
pub(crate) fn lookup(column: &'static str, batch: Expr) -> Expr {
    Expr::Scalar(Box::new(Select {
        columns: vec![(Expr::own("l", column), None)],
        from: Some((Source::Table(table()), Identifier::own("l"))),
        filter: Some(row_of("l", batch)),
        ..Select::default()
    }))
}

/// That a ledger row under an alias is the one of a batch.
pub(crate) fn row_of(alias: &'static str, batch: Expr) -> Expr {
    Expr::All(vec![Expr::own(alias, "target").equal(Expr::Parameter(1)), Expr::own(alias, "batch").equal(batch)])
}

/// The batches of which a later version of the same source, loaded with `on_overwrite: replace`, has taken the place.
///
/// Later is the greater batch time, then the greater version: one order for every order of arrival, so that an old version
/// that arrives late is replaced at once.
pub(crate) fn replaced_batches() -> Select {
    let newer = Select {
        columns: vec![(Expr::Number(1), None)],
        from: Some((Source::Table(table()), Identifier::own("n"))),
        filter: Some(Expr::All(vec![
            Expr::own("n", "target").equal(Expr::Parameter(1)),
            Expr::own("n", "source").equal(Expr::own("o", "source")),
            Expr::own("n", "replaces_source").equal(Expr::Number(1)),
            Expr::Differs(Box::new(Expr::own("n", "source_version")), Box::new(Expr::own("o", "source_version"))),
            Expr::Any(vec![
                Expr::own("o", "batch_time").less(Expr::own("n", "batch_time")),
                Expr::All(vec![
                    Expr::own("o", "batch_time").equal(Expr::own("n", "batch_time")),
                    Expr::own("o", "source_version").less(Expr::own("n", "source_version")),
                ]),
            ]),
        ])),
        ..Select::default()
    };
    Select {
        columns: vec![(Expr::own("o", "batch"), None)],
        from: Some((Source::Table(table()), Identifier::own("o"))),
        filter: Some(Expr::All(vec![
            Expr::own("o", "target").equal(Expr::Parameter(1)),
            Expr::Exists(Box::new(newer)),
        ])),
        ..Select::default()
    }
}

/// The same, of one source: parameter 2.
pub(crate) fn replaced_batches_of_source() -> Select {
    let mut select = replaced_batches();
    let of_source = Expr::own("o", "source").equal(Expr::Parameter(2));
    select.filter = Some(Expr::All(select.filter.into_iter().chain([of_source]).collect()));
    select
}
