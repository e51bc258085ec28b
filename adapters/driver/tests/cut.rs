//! The machine stops at any moment of a run on a disk: what was not written through is gone, empty, or half there. The next run
//! must leave what an undisturbed one leaves.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Resolved};
use etalon_core::plan::Object;
use etalon_core::protocol::{Work, name};
use etalon_driver::connection::Connection;
use etalon_driver::local::LocalDisk;
use etalon_driver::memory::ManualClock;
use etalon_driver::ports::{Objects, Put, Quiet};
use etalon_driver::run::{RunOptions, World, run};
use etalon_driver::{held, rejects, store, testing};
use etalon_sqlite::Sqlite;
use pollster::block_on;

const PIPELINE: &str = "\
etalon: 1
pipeline: things
source: { files: in/*.csv, format: csv, on_overwrite: replace, fields: { id: integer, name: } }
columns: { id: integer required, name: varchar(10) }
limits: { rejects: 60%, at_least: 2 }
target: { table: things, write: append }
";

/// Files that appear, are overwritten, and are held, some with rejects.
const DAYS: [&[(&str, &str)]; 3] = [
    &[("a", "id,name\n1,one\n2,two\n"), ("b", "id,name\n3,three\nx,four\n"), ("c", "id,name\n5,five\n")],
    &[("a", "id,name\n1,uno\n"), ("d", "id,name\ny,six\nz,seven\n"), ("e", "id,name\n8,eight\n")],
    &[("d", "id,name\n6,six\n7,seven\n"), ("a", "id,name\n1,one\n2,two\n")],
];

/// A disk of a machine that stops after so many calls.
struct Stopping<'a> {
    disk: &'a LocalDisk,
    folder: &'a Path,
    left: Mutex<usize>,
    /// What was removed since the disk last knew everything before.
    removed: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl Stopping<'_> {
    fn call(&self) -> Result<(), Error> {
        let mut left = self.left.lock().unwrap();
        let stopped = || Error::new(ErrorKind::Refused, "the machine stopped".to_owned());
        *left = left.checked_sub(1).ok_or_else(stopped)?;
        Ok(())
    }
}

impl Objects for Stopping<'_> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.disk.head(name).await
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.disk.read(object, range).await
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.disk.fetch(name).await
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.call()?;
        let put = self.disk.put(name, bytes, condition).await?;
        if !testing::unwritten(self.folder).contains(&self.disk.path(name)) {
            self.removed.lock().unwrap().clear();
        }
        Ok(put)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.disk.list(prefix, after, most).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.call()?;
        let path = self.disk.path(name);
        let waited = testing::unwritten(self.folder);
        if let Some(bytes) = fs::read(&path).ok().filter(|_| !waited.contains(&path)) {
            let mut removed = self.removed.lock().unwrap();
            if !waited.is_empty() {
                removed.clear();
            }
            removed.insert(path, bytes);
        }
        self.disk.delete(name).await
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        match self.disk.head(name).await {
            Ok(object) if object.version == version => self.delete(name).await,
            _ => self.disk.delete_version(name, version).await,
        }
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.disk.objects(prefix, after, most).await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.call()?;
        self.removed.lock().unwrap().clear();
        self.disk.flush().await
    }
}

/// One machine with a folder and a warehouse.
struct Machine {
    folder: tempfile::TempDir,
    warehouse: Box<dyn Connection>,
    pipeline: Resolved,
    clock: ManualClock,
}

impl Machine {
    fn new() -> Self {
        // In memory, where there is such a folder: a disk takes its time.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let warehouse = Box::new(Sqlite::open(&folder.path().join("warehouse.db")).unwrap());
        let (pipeline, _) = Pipeline::compile(PIPELINE).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        Self { folder, warehouse, pipeline, clock: ManualClock::new(3_600_000_000) }
    }

    fn begin_day(&self, day: usize) {
        for (file, content) in DAYS[day] {
            fs::write(self.folder.path().join(format!("in/{file}.csv")), content).unwrap();
        }
        self.clock.advance(3_600_000_000);
    }

    /// A run that stops after so many calls; whether it ended before.
    fn run(&mut self, calls: usize, luck: &mut impl FnMut() -> usize) -> bool {
        let source = LocalDisk::new(self.folder.path());
        let objects = source.find(self.folder.path(), &["in/*.csv".to_owned()], &Quiet).unwrap();
        let kept = self.folder.path().join("kept");
        let alone = LocalDisk::new(&kept).lock_run(|| panic!("nobody else is there")).unwrap();
        let stopping =
            Stopping { disk: alone.disk(), folder: &kept, left: Mutex::new(calls), removed: Mutex::default() };
        let world = World {
            source: &source,
            store: &stopping,
            warehouse: &mut self.warehouse,
            clock: &self.clock,
            progress: &Quiet,
        };
        let options = RunOptions { batch_time: None, workers: std::num::NonZero::new(1), ..RunOptions::default() };
        let ended = block_on(run(&self.pipeline, PIPELINE, Work::Prefix(String::new()), &objects, world, &options));
        match ended {
            Ok(_) => {
                alone.end().unwrap();
                return true;
            }
            Err(error) => assert!(error.to_string().contains("the machine stopped"), "{error}"),
        }
        let removed = stopping.removed.into_inner().unwrap();
        drop(alone);
        for path in testing::unwritten(&kept) {
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            let bytes = fs::read(&path).unwrap();
            let left = match luck() % 4 {
                0 => {
                    fs::remove_file(&path).unwrap();
                    continue;
                }
                1 => &[][..],
                2 => &bytes[..bytes.len() / 2],
                _ => &bytes[..],
            };
            fs::write(&path, left).unwrap();
            fs::File::open(&path).unwrap().set_modified(time).unwrap();
        }
        for (path, bytes) in removed {
            if luck().is_multiple_of(2) && !path.exists() {
                fs::write(path, bytes).unwrap();
            }
        }
        false
    }

    /// What is in the table, held, open of the rejects, and left to be done.
    fn state(&mut self) -> String {
        let sql = "select t.id, t.name, l.source, t._etalon_offset from things t \
                   left join _etalon_ledger l on l.batch = t._etalon_batch order by 1, 2, 3, 4";
        let rows = self.warehouse.query(sql).unwrap().rows;
        let kept = LocalDisk::new(self.folder.path().join("kept"));
        let table = name::table(self.pipeline.table());
        let held = block_on(held::held(&kept, &table)).unwrap();
        let held: Vec<String> = held.iter().map(held::title).collect();
        let inputs = block_on(rejects::read(&kept, &self.pipeline)).unwrap();
        let of = |input: rejects::InputRejects| input.rejects.into_iter().map(|kept| (kept.reject.source, kept.state));
        let mut rejects: Vec<String> = inputs.into_iter().flat_map(of).map(|of| format!("{of:?}")).collect();
        rejects.sort();
        let mut left = block_on(store::names(&kept, "")).unwrap();
        left.retain(|name| name.starts_with("pending/") || name.starts_with("staged/") || name.starts_with("loads/"));
        format!("rows {rows:?}\nheld {held:?}\nrejects {rejects:?}\nleft {left:?}")
    }
}

#[test]
fn a_machine_that_stops_at_any_moment_leaves_what_the_next_run_makes_whole() {
    let undisturbed: Vec<String> = {
        let mut machine = Machine::new();
        let day = |day| {
            machine.begin_day(day);
            assert!(machine.run(usize::MAX, &mut || 0));
            machine.state()
        };
        (0..DAYS.len()).map(day).collect()
    };
    let seed = RefCell::new(1_u64);
    let mut luck = || {
        let mut seed = seed.borrow_mut();
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*seed >> 40).unwrap()
    };
    let mut moments = 0;
    for (stopped, wanted) in undisturbed.iter().enumerate() {
        for calls in 0.. {
            let mut machine = Machine::new();
            for day in 0..stopped {
                machine.begin_day(day);
                assert!(machine.run(usize::MAX, &mut luck));
            }
            machine.begin_day(stopped);
            if machine.run(calls, &mut luck) {
                break;
            }
            // It may stop once more.
            machine.run(luck() % 60, &mut luck);
            assert!(machine.run(usize::MAX, &mut luck));
            assert_eq!(machine.state(), *wanted, "day {stopped}, after {calls} calls");
            moments += 1;
        }
    }
    assert!(moments > 60, "{moments}");
}
