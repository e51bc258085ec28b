//! The same pipeline over the same objects as on a laptop: in one process, into a PostgreSQL.

use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use etalon_aws::objects::S3Objects;
use etalon_core::error::Error;
use etalon_core::plan::Object;
use etalon_core::protocol::{Work, prefix};
use etalon_core::receipt::Counts;
use etalon_core::source::files;
use etalon_core::value::datetime::{Fraction, parse_timestamptz};
use etalon_driver::connection::Connection;
use etalon_driver::local::SystemClock;
use etalon_driver::memory::Memory;
use etalon_driver::ports::{Objects, Put, Quiet};
use etalon_driver::report::{RunReport, RunState};
use etalon_driver::run::{self, RunOptions, World};
use etalon_postgres::Postgres;
use etalon_postgres::client::{Address, Client};
use etalon_sandbox::cloud::Cloud;

use super::{Shared, orders};

/// Whatever a table holds, row by row, in order.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// What a laptop made of the objects of a cloud's source.
pub(crate) struct Laptop {
    report: RunReport,
    database_url: String,
    staged: Memory,
}

/// The objects of a cloud's source, with the versions that they have there.
#[derive(Default)]
struct Copied {
    bytes: Memory,
    versions: BTreeMap<String, Object>,
}

impl Copied {
    async fn of(cloud: &Cloud) -> Self {
        let (bucket, prefix) = cloud.source();
        let source = S3Objects::new(client(cloud.endpoint()), bucket, prefix);
        let inputs = files::names(&["days/*.csv".to_owned()]).unwrap();
        let mut copied = Self::default();
        for object in source.objects("", None, 1000).await.unwrap() {
            if inputs.include(&object.name) {
                copied.bytes.put(&object.name, &source.get(&object.name).await.unwrap(), Put::Always).await.unwrap();
                copied.versions.insert(object.name.clone(), object);
            }
        }
        copied
    }
}

/// A run reads objects, and does nothing else with its source.
impl Objects for Copied {
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        assert_eq!(self.versions.get(&object.name), Some(object));
        let here = self.bytes.head(&object.name).await?;
        self.bytes.read(&here, range).await
    }

    async fn head(&self, _: &str) -> Result<Object, Error> {
        unreachable!()
    }

    async fn fetch(&self, _: &str) -> Result<(Vec<u8>, String), Error> {
        unreachable!()
    }

    async fn put(&self, _: &str, _: &[u8], _: Put<'_>) -> Result<String, Error> {
        unreachable!()
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<String>, Error> {
        unreachable!()
    }

    async fn delete(&self, _: &str) -> Result<(), Error> {
        unreachable!()
    }

    async fn delete_version(&self, _: &str, _: &str) -> Result<(), Error> {
        unreachable!()
    }

    async fn objects(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<Object>, Error> {
        unreachable!()
    }
}

impl Laptop {
    pub(crate) async fn new(cloud: &Cloud, shared: &Shared, batch_time: &str) -> Self {
        let source = Copied::of(cloud).await;
        let objects: Vec<Object> = source.versions.values().cloned().collect();
        let batch_time = parse_timestamptz(batch_time.as_bytes(), Fraction::Exact, true).unwrap();
        let options = RunOptions { batch_time: Some(batch_time), ..RunOptions::default() };
        let pipeline = cloud.pipeline();

        let staged = Memory::default();
        let world = (&source, &staged, &SystemClock, &Quiet);
        let told = run::stage(pipeline, orders::PIPELINE, &objects, world, &options).await.unwrap();
        assert_eq!(told.state, RunState::Staged);

        let database_url = shared.counterparts.postgres.database(&format!("{}-again", cloud.name())).unwrap();
        let mut warehouse: Box<dyn Connection> = Box::new(Postgres::open(&database_url).unwrap());
        let store = Memory::default();
        let world =
            World { source: &source, store: &store, warehouse: &mut warehouse, clock: &SystemClock, progress: &Quiet };
        let report =
            run::run(pipeline, orders::PIPELINE, Work::Prefix(String::new()), &objects, world, &options).await.unwrap();
        assert_eq!(report.state, RunState::Loaded);
        Self { report, database_url, staged }
    }

    pub(crate) fn rows(&self) -> Rows {
        rows(&self.database_url, orders::TABLE)
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    pub(crate) fn counts(&self) -> Counts {
        self.report.counts
    }

    /// The bytes of all parts, by name.
    pub(crate) async fn parts(&self) -> BTreeMap<String, Vec<u8>> {
        let mut parts = BTreeMap::new();
        for name in self.staged.list(prefix::STAGED.text, None, 1000).await.unwrap() {
            parts.insert(name.clone(), self.staged.get(&name).await.unwrap());
        }
        parts
    }
}

/// All rows of a table.
pub(crate) fn rows(url: &str, table: &str) -> Rows {
    cells(url, table, "*")
}

/// Some columns of all rows of a table, as texts.
pub(crate) fn cells(url: &str, table: &str, columns: &str) -> Rows {
    let address = Address::parse(url, |_| None).unwrap();
    let mut connection = Client::open(&address).unwrap();
    let found = connection.run(&format!("SELECT {columns} FROM {table}"), &[]).unwrap();
    let text = |cell: Vec<u8>| String::from_utf8(cell).unwrap();
    let mut rows: Rows =
        found.rows.into_iter().map(|row| row.into_iter().map(|cell| cell.map(text)).collect()).collect();
    rows.sort();
    rows
}

fn client(endpoint: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_s3::Client::from_conf(config.build())
}
