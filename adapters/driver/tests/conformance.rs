//! Memory and local disk keep what the ports promise.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_driver::local::LocalDisk;
use etalon_driver::memory::{Kind, ManualClock, Memory, MemoryQueue};
use etalon_driver::testing::conformance;
use etalon_driver::testing::warehouse::{End, Fate, Flaws, MemoryWarehouse};
use pollster::block_on;

#[test]
fn objects_in_memory() {
    let store = Memory::default();
    block_on(conformance::objects(&store, "here"));
    conformance::one_writer_wins(&store, "here", || ());
}

#[test]
fn objects_on_local_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalDisk::new(folder.path());
    block_on(conformance::objects(&store, "here"));
    for _ in 0..20 {
        conformance::one_writer_wins(&store, "there/below", || ());
    }
}

#[test]
fn objects_on_local_disk_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = LocalDisk::new(folder.path()).lock_run(|| unreachable!("nobody else is there")).unwrap();
    block_on(conformance::objects(run.disk(), "here"));
    for _ in 0..20 {
        conformance::one_writer_wins(run.disk(), "there/below", || ());
    }
    run.end().unwrap();
}

#[test]
fn a_standard_queue_in_memory() {
    for seed in 0..200 {
        let clock = ManualClock::new(0);
        let queue = MemoryQueue::new(Kind::Standard(seed), &clock, 3);
        let wait = async |microseconds| clock.advance(microseconds);
        block_on(conformance::standard_queue(&queue, async || queue.dead(), wait));
    }
}

#[test]
fn a_fifo_queue_in_memory() {
    let clock = ManualClock::new(0);
    let queue = MemoryQueue::new(Kind::Fifo, &clock, 3);
    let wait = async |microseconds| clock.advance(microseconds);
    block_on(conformance::fifo_queue(&queue, "here", wait));
    block_on(conformance::fifo_queue_forgets(&queue, "there", wait));
}

#[test]
fn a_data_warehouse_in_memory() {
    let text = "\
etalon: 1
pipeline: people
source: { files: people.csv, format: csv, fields: { id: integer } }
columns: { id: integer }
target: { table: people, write: append }
";
    let (pipeline, _) = Pipeline::compile(text).unwrap();
    let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
    let (store, clock) = (Memory::default(), ManualClock::new(0));
    let fate = |_: &_| Fate { takes: 3_000_000, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), fate);
    let wait = async |microseconds| clock.advance(microseconds);
    block_on(conformance::data_warehouse(&warehouse, pipeline.table(), "here", wait));
}
