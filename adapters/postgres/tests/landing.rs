//! Landing from a real PostgreSQL while others write: whatever is open, commits out of order, is cut short, is killed or runs
//! twice, every row that the source has in the end has landed, and none twice.
//!
//! A seed makes a history: writers begin transactions, insert, update, commit or roll back in any order, on connections of
//! their own, and landings come between. `ETALON_SEEDS` says how many histories are made.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Cursor, name};
use etalon_driver::land::{Asked, Land};
use etalon_driver::memory::Memory;
use etalon_driver::ports::Objects;
use etalon_driver::store::document;
use etalon_driver::testing::landing::{self, Chance, Disturbed, Ticks, doubled, landed, merged};
use etalon_golden::postgres::{self, Server};
use etalon_postgres::Source;
use etalon_postgres::client::{Address, Client};
use pollster::block_on;

fn main() -> ExitCode {
    postgres::main(&[
        ("nothing_is_missed_and_nothing_lands_twice", nothing_is_missed_and_nothing_lands_twice),
        ("nothing_is_missed_while_writers_run", nothing_is_missed_while_writers_run),
        ("parts_are_of_one_snapshot", parts_are_of_one_snapshot),
        ("numbers_wait_for_those_before_them", numbers_wait_for_those_before_them),
    ])
}

fn client(url: &str) -> Client {
    Client::open(&Address::parse(url, |_| None).unwrap()).unwrap()
}

fn rows(client: &mut Client, sql: &str) -> Vec<Vec<String>> {
    let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).unwrap();
    client.run(sql, &[]).unwrap().rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

fn pipeline(url: &str, reads: &str) -> Pipeline {
    let text = format!(
        "{{ etalon: 1, pipeline: p, source: {{ postgres: {{ url: '{url}', table: t, {reads} }}, \
         fields: {{ id: bigint, v: integer, at: timestamptz }} }}, columns: {{ id: required, v: , at: required }}, \
         target: {{ table: t, write: merge, key: id, order_by: at }} }}"
    );
    Pipeline::compile(&text).unwrap().0
}

/// Lands what is new until everything has landed.
fn land_all(pipeline: &Pipeline, url: &str, store: &Memory) {
    landing::land_all(pipeline, store, || Source::open(url).unwrap());
}

const TABLE: &str = "create table t (id bigint primary key, v integer, at timestamptz not null)";

fn nothing_is_missed_and_nothing_lands_twice(server: &Server) {
    let seeds: u64 = std::env::var("ETALON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    let url = server.database("histories");
    let mut looker = client(&url);
    let (mut transactions, mut landings, mut lost, mut cut, mut beaten, mut naive_missed, mut naive_seeds) =
        (0, 0, 0, 0, 0, 0, 0);
    let mut left = 0;
    for seed in 0..seeds {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        rows(&mut looker, "drop table if exists t");
        rows(&mut looker, TABLE);
        // In every third history the clocks of the writers are behind, by less than the lag.
        let (lag, behind) = if seed % 3 == 2 { ("1 second", 900) } else { ("0 seconds", 0) };
        let window = if chance.one_in(2) { "" } else { ", window: 1 second" };
        // A window that is read in parts does not end early.
        let is_split = seed % 5 == 1;
        let split = if is_split { ", split: { by: id, into: 3, connections: 2 }" } else { "" };
        let pipeline = pipeline(&url, &format!("incremental: {{ cursor: at, lag: {lag}{window} }}{split}"));
        let store = Memory::default();
        let mut writers: Vec<(Client, bool)> = (0..4).map(|_| (client(&url), false)).collect();
        let (mut next_id, mut naive, mut naive_at) = (0, Vec::new(), String::from("-infinity"));
        for _ in 0..80 {
            let writer = chance.below(4) as usize;
            match chance.below(8) {
                0..=4 => {
                    let (connection, is_open) = &mut writers[writer];
                    if !*is_open {
                        rows(connection, "begin");
                        // The transaction has begun, and its time is taken: `now()` stays.
                        rows(connection, "select now()");
                        *is_open = true;
                        transactions += 1;
                        continue;
                    }
                    let at = format!("now() - interval '{} milliseconds'", chance.below(behind + 1));
                    // Each writer has keys of its own: two that wait for each other would stop this thread.
                    if next_id < 4 || chance.one_in(2) {
                        rows(
                            connection,
                            &format!("insert into t values ({}, {seed}, {at})", next_id * 4 + writer as u64),
                        );
                        next_id += 1;
                    } else {
                        let id = chance.below(next_id) * 4 + writer as u64;
                        rows(connection, &format!("update t set v = v + 1, at = {at} where id = {id}"));
                    }
                }
                5 => {
                    let (connection, is_open) = &mut writers[writer];
                    if *is_open {
                        rows(connection, if chance.one_in(5) { "rollback" } else { "commit" });
                        *is_open = false;
                    }
                }
                _ => {
                    landings += 1;
                    let clock = Ticks::default();
                    let deadline = if chance.one_in(3) && !is_split { 8 + chance.below(12) as i64 } else { i64::MAX };
                    let land = Land {
                        pipeline: &pipeline,
                        store: &store,
                        clock: &clock,
                        deadline,
                        piece_bytes: Some(64),
                        rows_max: None,
                    };
                    let inner = Source::open(&url).unwrap();
                    let kind = chance.below(3);
                    let happens = || match kind {
                        0 => Ok(()),
                        1 => Err(Error::new(ErrorKind::Unavailable, "the connection is lost")),
                        _ => {
                            land_all(&pipeline, &url, &store);
                            Ok(())
                        }
                    };
                    let mut database = Disturbed { inner, calls_left: chance.below(9), happens: Some(happens) };
                    match block_on(land.land(&mut database, Asked::New)) {
                        Ok(report) => cut += u64::from(report.is_cut_short),
                        Err(error) if error.kind() == ErrorKind::Unavailable && kind == 1 => lost += 1,
                        Err(error) if error.kind() == ErrorKind::Changed && kind == 2 => beaten += 1,
                        Err(error) if error.kind() == ErrorKind::AlreadyExists && kind == 2 => beaten += 1,
                        Err(error) => panic!("seed {seed}: {error}"),
                    }
                    let new = format!("select id, v, at::text from t where at > '{naive_at}' order by at");
                    naive.extend(rows(&mut looker, &new));
                    naive_at = naive.iter().map(|row: &Vec<String>| row[2].clone()).max().unwrap_or(naive_at);
                }
            }
        }
        for (connection, is_open) in &mut writers {
            if *is_open {
                rows(connection, "commit");
            }
        }
        if behind > 0 {
            std::thread::sleep(std::time::Duration::from_millis(1100));
        }
        land_all(&pipeline, &url, &store);
        // Whoever lands first removes what those before have left.
        land_all(&pipeline, &url, &store);
        naive.extend(rows(&mut looker, &format!("select id, v, at::text from t where at > '{naive_at}'")));

        let there = rows(&mut looker, "select id, v, at::text from t order by id");
        let records = landed(&store);
        assert_eq!(merged(&records), merged(&there), "seed {seed}");
        assert_eq!(doubled(&records), 0, "seed {seed}");
        // What a killed landing has left is gone.
        let names = block_on(store.list("landed/", None, usize::MAX)).unwrap();
        let (cursor, _) = block_on(document::<Cursor>(&store, &name::cursor("p"))).unwrap().unwrap();
        let kept: BTreeSet<String> =
            cursor.windows.iter().flat_map(|window| &window.pieces).map(|piece| piece.name.clone()).collect();
        let is_residue =
            |piece: &&String| name::landed_window(piece).is_some_and(|window| cursor.is_residue(piece, window));
        let residue = names.iter().filter(is_residue).count();
        assert!(kept.iter().all(|piece| names.contains(piece)), "seed {seed}: what a cursor names is there");
        left += residue;
        let (naive, there) = (merged(&naive), merged(&there));
        let missed = there.iter().filter(|(id, version)| naive.get(id) != Some(version)).count();
        naive_missed += missed;
        naive_seeds += usize::from(missed > 0);
    }
    println!(
        "{seeds} histories, {transactions} transactions, {landings} landings: {lost} lost their connection, {cut} were cut short, \
         {beaten} were beaten by another; rows missed 0, doubled 0; `cursor > last` misses {naive_missed} rows in {naive_seeds} \
         histories"
    );
    assert_eq!(left, 0, "residue stays");
    assert!(naive_missed > 0, "the histories are too tame");
}

fn nothing_is_missed_while_writers_run(server: &Server) {
    let url = server.database("threads");
    let mut looker = client(&url);
    rows(&mut looker, TABLE);
    let (pipeline, store) = (pipeline(&url, "incremental: { cursor: at, lag: 1 second }"), Memory::default());
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u64)
            .map(|writer| {
                let (url, ended) = (&url, &ended);
                scope.spawn(move || {
                    let (mut connection, mut chance, mut id) = (client(url), Chance(writer + 7), writer);
                    while !ended.load(Ordering::Relaxed) {
                        rows(&mut connection, "begin");
                        for _ in 0..=chance.below(3) {
                            rows(&mut connection, &format!("insert into t values ({id}, 0, now())"));
                            id += 4;
                        }
                        let old = chance.below(id / 4 + 1) * 4 + writer;
                        rows(&mut connection, &format!("update t set v = v + 1, at = now() where id = {old}"));
                        if chance.one_in(20) {
                            std::thread::sleep(std::time::Duration::from_millis(300));
                        }
                        rows(&mut connection, "commit");
                    }
                })
            })
            .collect();
        let since = std::time::Instant::now();
        while since.elapsed() < std::time::Duration::from_secs(4) {
            land_all(&pipeline, &url, &store);
        }
        ended.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    std::thread::sleep(std::time::Duration::from_millis(1100));
    land_all(&pipeline, &url, &store);
    let records = landed(&store);
    let there = rows(&mut looker, "select id, v, at::text from t");
    assert_eq!(merged(&records), merged(&there));
    assert_eq!(doubled(&records), 0);
    println!("{} rows of four writers, {} landed", there.len(), records.len());
}

fn numbers_wait_for_those_before_them(server: &Server) {
    let url = server.database("numbers");
    let mut looker = client(&url);
    rows(&mut looker, "create table t (id bigserial primary key, v integer, at timestamptz default now())");
    let (pipeline, store) = (pipeline(&url, "incremental: { cursor: id }"), Memory::default());
    let (mut early, mut late) = (client(&url), client(&url));
    rows(&mut early, "begin");
    rows(&mut early, "insert into t (v) values (1)");
    rows(&mut late, "insert into t (v) values (2)");
    // The second number is there, and the first is not: the window waits for it.
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(700));
            rows(&mut early, "commit");
        });
        land_all(&pipeline, &url, &store);
        writer.join().unwrap();
    });
    let ids: Vec<String> = landed(&store).into_iter().map(|record| record[0].clone()).collect();
    assert_eq!(ids, ["1", "2"]);
}

fn parts_are_of_one_snapshot(server: &Server) {
    let url = server.database("parts");
    let mut looker = client(&url);
    rows(&mut looker, TABLE);
    rows(&mut looker, "insert into t select n * 7, 100, now() from generate_series(1, 400) n");
    let whole = |split: &str| landing::whole("postgres", &url, split);
    let pipelines = ["into: 8, connections: 4", "into: 5", "into: 64, connections: 3", "into: 2, connections: 2"]
        .map(|into| whole(&format!("id, {into}")));
    let mut writer = client(&url);
    let open = || Source::open(&url).unwrap();
    landing::parts_are_of_one_snapshot(&pipelines, open, |sql| drop(rows(&mut writer, sql)));
    // Rows without the number are those of the first part; numbers are not evenly there.
    rows(&mut looker, "update t set v = case when id % 3 = 0 then null when id % 3 = 1 then id * 1000 else -5 end");
    let there = rows(&mut looker, "select id, coalesce(v::text, '\\N'), at::text from t");
    landing::parts_have_all_rows(&whole("v, into: 16, connections: 4"), &whole("at, into: 4"), open, &there);
}
