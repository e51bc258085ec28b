//! Port: a Redshift in an empty database, and rows that are staged by core and brought there through COPY.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use etalon_aws::client::Clients;
use etalon_aws::objects::S3Objects;
use etalon_aws::redshift::Redshift;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::sha256;
use etalon_core::protocol::Blame;
use etalon_core::stage::{Format, Lineage, PartWriter, StagedPart};
use etalon_core::testing::merge::Loads;
use etalon_core::types::Type;
use etalon_core::warehouse::dialect::redshift::lint::lint;
use etalon_core::warehouse::{
    BATCH_COLUMN, DELETED_COLUMN, LoadBatch, LoadCounts, OFFSET_COLUMN, Statement, TIME_COLUMN, Table,
};
use etalon_driver::connection::Connection;
use etalon_driver::ports::{DataWarehouse, LoadOrder, Objects, OrderPart, Put, StatementState};
use etalon_postgres::Postgres;
use etalon_postgres::client::{Address, Client};
use etalon_sandbox::postgres::Server;
use etalon_sandbox::redshift::{Config, DataApi};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// How often each kind of statement was sent.
pub(crate) type Kinds = Arc<Mutex<BTreeMap<String, u64>>>;

/// A Redshift that is loaded.
pub(crate) struct Port {
    pub(crate) redshift: Redshift,
    pub(crate) runtime: Runtime,
    /// The URL of the database behind it.
    url: String,
    store: S3Objects,
    format: Format,
    loads: Cell<usize>,
    _api: DataApi,
}

impl Port {
    /// A Redshift in an empty database of a name, which counts the statements that it is sent.
    pub(crate) fn new(server: &Server, name: &str, format: Format, kinds: Kinds) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let clients = runtime.block_on(Clients::from_env());
        let url = server.database(name).unwrap();
        let s3 = std::env::var("AWS_ENDPOINT_URL").unwrap();
        let log = move |line: &str| count(line, &kinds);
        let config = Config { log: Some(Arc::new(log)), logs_sql: true, ..Config::new(&url, Some(s3)) };
        let api = DataApi::start(config).unwrap();
        runtime.block_on(clients.s3().create_bucket().bucket(name).send()).unwrap();
        let config = clients.redshift_data().config().to_builder().endpoint_url(api.endpoint()).build();
        let store = || S3Objects::new(clients.s3(), name, "etalon/");
        let redshift = Redshift::new(aws_sdk_redshiftdata::Client::from_conf(config), store(), super::settings());
        let store = store();
        Self { redshift, runtime, url, store, format, loads: Cell::new(0), _api: api }
    }

    /// Forgets everything that was loaded.
    pub(crate) fn emptied(&self) -> &Self {
        self.sql("DROP SCHEMA public CASCADE");
        self.sql("CREATE SCHEMA public");
        self
    }

    /// Runs a statement of PostgreSQL.
    pub(crate) fn sql(&self, sql: &str) {
        Client::open(&Address::parse(&self.url, |_| None).unwrap()).unwrap().run(sql, &[]).unwrap();
    }

    /// The rows of a query, as a warehouse shows them.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        Ok(Postgres::open(&self.url).unwrap().query(sql)?.rows)
    }

    /// Stages rows as those of a table, and gives the parts.
    pub(crate) fn stage(&self, table: &Table, rows: &RecordBatch) -> Vec<OrderPart> {
        self.loads.set(self.loads.get() + 1);
        let put = |(number, part): (usize, StagedPart)| {
            let name = format!("load{}/{number}.{}", self.loads.get(), self.format.ending());
            self.runtime.block_on(self.store.put(&name, &part.bytes, Put::Always)).unwrap();
            OrderPart { name, rows: part.rows, bytes: part.bytes.len() as u64 }
        };
        parts(table, self.format, rows).into_iter().enumerate().map(put).collect()
    }

    /// Submits a load of the parts that were staged last, and tells how it has ended.
    pub(crate) fn submit(
        &self,
        table: &Table,
        batches: &[LoadBatch],
        parts: Vec<OrderPart>,
    ) -> Result<StatementState, Error> {
        let load = format!("load{}", self.loads.get());
        let token = sha256(load.as_bytes());
        let order = LoadOrder { load, table: table.clone(), loaded_at: 0, batches: batches.to_vec(), parts };
        self.runtime.block_on(async {
            let submitted = self.redshift.submit(&order, &token).await?;
            Ok(super::ended(&self.redshift, &submitted).await)
        })
    }
}

impl Loads for &Port {
    fn load(&mut self, table: &Table, batches: &[LoadBatch], rows: RecordBatch) -> Result<LoadCounts, Error> {
        match self.submit(table, batches, self.stage(table, &rows))? {
            StatementState::Finished => {}
            StatementState::Failed(words, Blame::Data) => {
                let is_loaded = words.starts_with("check that no input is loaded: ");
                let kind = if is_loaded { ErrorKind::AlreadyExists } else { ErrorKind::Refused };
                return Err(Error::new(kind, words));
            }
            other => panic!("{other:?}"),
        }
        // Every ledger row balances by itself.
        let inputs: Vec<String> = batches.iter().map(|one| one.input.clone()).collect();
        let mut sum = LoadCounts::default();
        for (batch, counts) in self.runtime.block_on(self.redshift.ledger(table, &inputs))? {
            assert!(counts.balance(), "{batch:?} {counts:?}");
            // An input has earlier generations, too.
            if batches.contains(&batch) {
                sum.add(counts);
            }
        }
        assert_eq!(sum.staged, rows.num_rows() as u64);
        Ok(sum)
    }

    fn rows(&mut self, table: &Table) -> Vec<Vec<Option<String>>> {
        self.query(&format!("SELECT * FROM {}", table.name)).unwrap_or_default()
    }
}

/// Rows as core stages them: parts of each batch.
fn parts(table: &Table, format: Format, rows: &RecordBatch) -> Vec<StagedPart> {
    let mut columns: Vec<(String, Type, bool)> =
        table.columns.iter().map(|column| (column.name.clone(), column.ty, column.required)).collect();
    if table.deletes {
        columns.push((DELETED_COLUMN.to_owned(), Type::Boolean, true));
    }
    let width = columns.len();
    let (names, offsets) = (rows.column(width).as_string_view(), rows.column(width + 1).as_primitive::<Int64Type>());
    let times = rows.column(width + 2).as_primitive::<arrow_array::types::TimestampMicrosecondType>();
    let mut parts = Vec::new();
    let mut row = 0;
    while row < rows.num_rows() {
        let count = (row..rows.num_rows()).take_while(|&next| names.value(next) == names.value(row)).count();
        let lineage = Lineage {
            names: [BATCH_COLUMN, OFFSET_COLUMN, TIME_COLUMN],
            batch: names.value(row).to_owned(),
            time: times.value(row),
        };
        let mut writer = PartWriter::new(format, &columns, lineage);
        let arrays = rows.columns()[..width].iter().map(|array| array.slice(row, count)).collect();
        let offsets: Vec<u64> = (row..row + count).map(|row| offsets.value(row).cast_unsigned()).collect();
        parts.extend(writer.write(arrays, &offsets));
        parts.extend(writer.finish());
        row += count;
    }
    parts
}

/// Counts the statements of a request by what they do, after the linter's look at each.
fn count(line: &str, kinds: &Kinds) {
    let Some((operation, body)) = line.split_once(' ').filter(|(operation, _)| operation.ends_with("ExecuteStatement"))
    else {
        return;
    };
    let Ok(body) = serde_json::from_str::<Value>(body) else { return };
    let sqls = body["Sqls"].as_array().cloned().unwrap_or_else(|| vec![body["Sql"].clone()]);
    for sql in sqls.iter().filter_map(Value::as_str) {
        let offences = lint(sql);
        assert!(operation == "ExecuteStatement" || offences.is_empty(), "{offences:?} {sql}");
        let purpose = Statement::purpose(sql).unwrap_or("is not labelled").to_owned();
        *kinds.lock().unwrap().entry(purpose).or_default() += 1;
    }
}
