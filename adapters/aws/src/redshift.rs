//! Redshift by its Data API: a load is one request, which runs while no function waits for it.
//!
//! Core makes the statements, decides what must exist before a load, and interprets error messages. This adapter sends the
//! statements, and asks for their state later.

mod api;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::types::StatusString;
use etalon_core::deploy::{WarehouseId, setting};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{Blame, name};
use etalon_core::stage::Format;
use etalon_core::warehouse::dialect::redshift::copy::{LoadError, load_errors};
use etalon_core::warehouse::dialect::redshift::{DIALECT, STATEMENTS_MAX};
use etalon_core::warehouse::{
    Arrival, BATCH_COLUMN, Cause, CopyFormat, CopySource, Failure, Found, LedgerRow, LoadBatch, LoadCounts, LoadScript,
    ManifestPart, Migration, PipelineLoads, Presence, Selection, SetUp, Statement, Step, Table, Target, any_row,
    brought, by_batch, count_by_batch, ledger as whole_ledger, ledger_akin, ledger_of, manifest, migrate_ledger,
    pipeline_loads, presence,
};
use etalon_driver::ports::{DataWarehouse, LoadOrder, Objects, Put, StatementState};

use crate::objects::S3Objects;
use crate::settings::Settings as Environment;
use api::{Api, Ended};

/// The most bytes of a statement that the Data API takes.
const STATEMENT_BYTES_MAX: usize = 200 * 1024;
/// Rows that COPY could not load which an error names; the warehouse has the others.
const LOAD_ERRORS_SHOWN: usize = 3;

/// Where a Redshift is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database.
    pub database: String,
    /// The warehouse.
    pub id: WarehouseId,
    /// The ARN of the secret to connect with; without it the function's own role does.
    pub secret: Option<String>,
    /// The role by which COPY reads staged files, or `default`.
    pub iam_role: String,
    /// How long one answer may wait for a statement to end: whole seconds, from 1 to 30.
    pub poll: Duration,
    /// How long a question, or a change of a table, may take in all. A load may take as long as it does.
    pub patience: Duration,
}

/// A Redshift, with the store that staged files and manifests lie in.
#[derive(Debug, Clone)]
pub struct Redshift {
    api: Api,
    store: Arc<S3Objects>,
    iam_role: String,
}

impl Settings {
    /// How long one answer may wait: as long as the API lets it.
    const POLL: Duration = Duration::from_secs(30);
    /// How long a question may take where nobody says less.
    const PATIENCE: Duration = Duration::from_secs(120);

    /// The settings of a function. A workgroup or a cluster must be told, and by whose role COPY reads.
    pub fn of(environment: &Environment) -> Result<Self, Error> {
        let get = |setting| environment.get(setting).map(str::to_owned);
        let [database, iam_role] = environment.need([&setting::DATABASE, &setting::COPY_ROLE])?;
        let id = match (get(&setting::WORKGROUP), get(&setting::CLUSTER)) {
            (Some(name), None) => WarehouseId::Workgroup(name),
            (None, Some(identifier)) => WarehouseId::Cluster { identifier, user: get(&setting::DATABASE_USER) },
            _ => {
                let (workgroup, cluster) = (setting::WORKGROUP.name, setting::CLUSTER.name);
                let message = format!("set one of {workgroup} and {cluster}, not both");
                return Err(Error::new(ErrorKind::Refused, message));
            }
        };
        Ok(Self {
            database: database.to_owned(),
            id,
            secret: get(&setting::WAREHOUSE_SECRET),
            iam_role: iam_role.to_owned(),
            poll: Self::POLL,
            patience: Self::PATIENCE,
        })
    }
}

impl Redshift {
    /// The warehouse that the settings name.
    pub fn new(client: Client, store: S3Objects, settings: Settings) -> Self {
        let iam_role = settings.iam_role.clone();
        Self { api: Api::new(client, settings), store: Arc::new(store), iam_role }
    }

    /// The same warehouse, for somebody who has no more than so much time for a question, or for a change of a table.
    pub fn within(&self, patience: Duration) -> Self {
        Self { api: self.api.within(patience), ..self.clone() }
    }

    /// Everything that was loaded into a table, in the order of loading.
    pub async fn loaded(&self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let selections = self.ask_ledger(&target, &[whole_ledger(&target)]).await?;
        selections.iter().flat_map(Selection::rows).map(|row| LedgerRow::read(&row)).collect()
    }

    /// Whether a table has rows; `None` where there is no table.
    pub async fn has_rows(&self, table: &Table) -> Result<Option<bool>, Error> {
        let target = Target::new(table, &DIALECT)?;
        match self.api.run(&[&any_row(&target)]).await? {
            Ended::Failed(failure) if failure.cause == Cause::Missing => Ok(None),
            ended => Ok(Some(self.api.selection(&ended.finished()?, 1).await?.rows().next().is_some())),
        }
    }

    /// What a load would change in a table, beside its rows, a line each for people; `Refused` where the table is not what the
    /// pipeline needs. Etalon's own tables are made on the way.
    pub async fn changes(&self, table: &Table) -> Result<Vec<String>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let set_up = SetUp::new(&target)?;
        Ok(Migration::new(&target, &self.found(&set_up).await?)?.changes)
    }

    /// Makes the table what the pipeline needs, or says why it cannot be. Gives what was found before.
    async fn set_up(&self, target: &Target) -> Result<Found, Error> {
        let set_up = SetUp::new(target)?;
        let found = self.found(&set_up).await?;
        let migration = Migration::new(target, &found)?;
        for change in &migration.changes {
            tracing::info!(table = target.name(), change, "the warehouse is changed");
        }
        for statement in &migration.outside {
            self.api.run_alone(statement).await?.finished()?;
        }
        if migration.statements.is_empty() {
            return Ok(found);
        }
        // Changes stand in one transaction, or a crash in their middle would leave columns that nobody has declared.
        let statements: Vec<&Statement> = set_up.lock.iter().chain(&migration.statements).collect();
        if statements.len() > STATEMENTS_MAX {
            let (name, count) = (target.name(), statements.len());
            let message = format!("table `{name}`: its change takes {count} statements, and {STATEMENTS_MAX} fit");
            return Err(Error::new(ErrorKind::Refused, message));
        }
        let ended = self.api.run(&statements).await?;
        if ended.is_finished() {
            return Ok(found);
        }
        // Somebody else may have changed it meanwhile.
        let found = self.found(&set_up).await?;
        if !Migration::new(target, &found)?.statements.is_empty() {
            ended.finished()?;
        }
        Ok(found)
    }

    /// Creates Etalon's own tables, and asks what else is there.
    async fn found(&self, set_up: &SetUp) -> Result<Found, Error> {
        let statements: Vec<&Statement> = set_up.create.iter().chain(&set_up.questions).collect();
        let asked = self.api.run(&statements).await?.finished()?;
        set_up.found(&self.selections(&asked, set_up.create.len(), set_up.questions.len()).await?)
    }

    /// What so many statements of a transaction have selected, after those that select nothing.
    async fn selections(&self, asked: &str, before: usize, count: usize) -> Result<Vec<Selection>, Error> {
        let mut selections = Vec::with_capacity(count);
        for position in before + 1..=before + count {
            selections.push(self.api.selection(asked, position).await?);
        }
        Ok(selections)
    }

    /// Writes the manifest of a load, and says where COPY finds it; nothing where there is nothing to bring.
    async fn copy_source(&self, order: &LoadOrder) -> Result<Option<CopySource>, Error> {
        if order.parts.is_empty() {
            return Ok(None);
        }
        let part = |part: &etalon_driver::ports::OrderPart| ManifestPart {
            url: self.store.url(&part.name),
            bytes: part.bytes,
        };
        let parts: Vec<ManifestPart> = order.parts.iter().map(part).collect();
        let place = name::manifest(&order.load);
        // A load's files never change, so that whoever writes it again writes the same.
        self.store.put(&place, manifest(&parts)?.as_bytes(), Put::Always).await?;
        // Batches of one load are of one pipeline, and so are their formats.
        let is_csv = order.parts.iter().all(|part| part.name.ends_with(Format::Csv.ending()));
        let format = if is_csv { CopyFormat::Csv } else { CopyFormat::Parquet };
        Ok(Some(CopySource { manifest: self.store.url(&place), iam_role: self.iam_role.clone(), format }))
    }

    /// What questions about the ledger select. Before the first load there is none, and one of an older Etalon lacks columns:
    /// then it is made before they are asked.
    async fn ask_ledger(&self, target: &Target, questions: &[Statement]) -> Result<Vec<Selection>, Error> {
        let mut before = 0;
        let ended = match self.api.run(&questions.iter().collect::<Vec<_>>()).await? {
            Ended::Failed(failure) if failure.cause == Cause::Missing => {
                let set_up = SetUp::new(target)?;
                let migration = migrate_ledger(target, &self.found(&set_up).await?.ledger)?;
                before = migration.len();
                self.api.run(&migration.iter().chain(questions).collect::<Vec<_>>()).await?
            }
            ended => ended,
        };
        self.selections(&ended.finished()?, before, questions.len()).await
    }

    /// What COPY could not load, as far as the warehouse says.
    async fn load_errors(&self, query: i64) -> Result<Vec<LoadError>, Error> {
        let asked = self.api.run(&[&load_errors(query)]).await?.finished()?;
        let found = self.api.selection(&asked, 1).await?;
        found.rows().map(|row| LoadError::read(&row)).collect()
    }
}

impl DataWarehouse for Redshift {
    async fn submit(&self, order: &LoadOrder, token: &str) -> Result<String, Error> {
        let target = Target::new(&order.table, &DIALECT)?;
        let found = self.set_up(&target).await?;
        let target = target.with_former(&found).unwrap_or(target);
        let copy = self.copy_source(order).await?;
        let load = Arrival { batches: &order.batches, loaded_at: order.loaded_at, copy: copy.as_ref() };
        let statements: Vec<Statement> = LoadScript::new(&target, &load)?.steps.into_iter().map(statement).collect();
        if let Some(bytes) =
            statements.iter().map(|one| one.labelled().len()).find(|bytes| *bytes > STATEMENT_BYTES_MAX)
        {
            let (name, columns) = (target.name(), order.table.columns.len());
            let message = format!(
                "table `{name}`: with the names of its {columns} columns a load takes a statement of {bytes} bytes, and \
                 Redshift takes {STATEMENT_BYTES_MAX}; leave columns out, or give them shorter names"
            );
            // No later attempt is another: somebody decides.
            return Err(Error::new(ErrorKind::Held, message));
        }
        self.api.submit(&statements.iter().collect::<Vec<_>>(), Some((&order.load, token))).await
    }

    async fn status(&self, statement: &str) -> Result<StatementState, Error> {
        let described = self.api.describe(statement).await?;
        Ok(match described.status {
            StatusString::Finished => StatementState::Finished,
            StatusString::Aborted => StatementState::Aborted,
            StatusString::Failed => {
                let Failure { cause, mut words } = described.failure;
                let mut is_of_data = cause.is_of_data();
                // The words alone hold the load, too, if more of them cannot be had.
                if cause == Cause::LoadError
                    && let Ok(errors) = self.load_errors(described.query).await
                    && !errors.is_empty()
                {
                    is_of_data = errors.iter().any(LoadError::is_of_data);
                    words = format!("{words}: {}", shown(&errors));
                }
                StatementState::Failed(words, if is_of_data { Blame::Data } else { Blame::Environment })
            }
            _ => StatementState::Running,
        })
    }

    async fn ledger(&self, table: &Table, inputs: &[String]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let mut names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let set_up = SetUp::new(&target)?.create.len();
        let mut found = Vec::new();
        for questions in ledger_of(&target, &names).chunks(STATEMENTS_MAX - set_up) {
            for selection in self.ask_ledger(&target, questions).await? {
                for row in selection.rows() {
                    let LedgerRow { batch, counts, .. } = LedgerRow::read(&row)?;
                    found.push((batch, counts));
                }
            }
        }
        Ok(found)
    }

    async fn akin(&self, table: &Table, batches: &[LoadBatch]) -> Result<Vec<LedgerRow>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let mut found = Vec::new();
        for question in ledger_akin(&target, batches) {
            for selection in self.ask_ledger(&target, std::slice::from_ref(&question)).await? {
                found.extend(selection.rows().map(|row| LedgerRow::read(&row)).collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(found)
    }

    async fn pipelines(&self, table: &Table, own: &str) -> Result<Vec<PipelineLoads>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let selections = self.ask_ledger(&target, &[pipeline_loads(&target, own)]).await?;
        selections.iter().flat_map(Selection::rows).map(|row| PipelineLoads::read(&row)).collect()
    }

    async fn presence(&self, table: &Table) -> Result<Presence, Error> {
        let target = Target::new(table, &DIALECT)?;
        let selections = self.ask_ledger(&target, &[presence(&target)]).await?;
        let has_rows = self.has_rows(table).await?;
        let row = selections.iter().flat_map(Selection::rows).next();
        row.map_or_else(|| Ok(Presence::default()), |row| Presence::read(&row, has_rows))
    }

    async fn brought(&self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        let target = Target::new(table, &DIALECT)?;
        let names: Vec<&str> = batches.iter().map(String::as_str).collect();
        let mut there = BTreeSet::new();
        for question in brought(&target, &names) {
            match self.api.run(&[&question]).await? {
                Ended::Failed(failure) if failure.cause == Cause::Missing => {}
                ended => {
                    let found = self.api.selection(&ended.finished()?, 1).await?;
                    for row in found.rows() {
                        there.insert(row.text(BATCH_COLUMN)?.to_owned());
                    }
                }
            }
        }
        Ok(there)
    }
}

impl Redshift {
    /// How many rows of each batch a table has.
    pub async fn by_batch(&self, table: &Table) -> Result<BTreeMap<String, u64>, Error> {
        let target = Target::new(table, &DIALECT)?;
        match self.api.run(&[&count_by_batch(&target)]).await? {
            Ended::Failed(failure) if failure.cause == Cause::Missing => Ok(BTreeMap::new()),
            ended => by_batch(&self.api.selection(&ended.finished()?, 1).await?),
        }
    }
}

/// What COPY could not load, for people.
fn shown(errors: &[LoadError]) -> String {
    let mut words: Vec<String> = errors.iter().take(LOAD_ERRORS_SHOWN).map(LoadError::to_string).collect();
    if errors.len() > LOAD_ERRORS_SHOWN {
        words.push("and more".to_owned());
    }
    words.join("; ")
}

/// The statement of a step.
fn statement(step: Step) -> Statement {
    match step {
        Step::Run(statement) | Step::Guard(_, statement) | Step::Counts(statement) => statement,
        Step::Stage(stage) => stage.statement(),
    }
}
