//! Landing from a real MariaDB while others write: whatever is open, commits out of order, is cut short, is killed or runs
//! twice, every row that the source has in the end has landed, and none twice.
//!
//! A seed makes a history: writers begin transactions, insert, update, commit or roll back in any order, on connections of
//! their own, and landings come between. `ETALON_SEEDS` says how many histories are made. The server tells when a transaction began
//! in whole seconds, so that a history takes some.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Cursor, name};
use etalon_driver::land::{Asked, Land};
use etalon_driver::memory::Memory;
use etalon_driver::ports::Objects;
use etalon_driver::store::document;
use etalon_driver::testing::landing::{self, Chance, Disturbed, Ticks, doubled, landed, merged};
use etalon_golden::mariadb::{self, Server};
use etalon_mysql::Source;
use etalon_mysql::client::{Address, Client};
use pollster::block_on;

fn main() -> ExitCode {
    mariadb::main(&[
        ("nothing_is_missed_and_nothing_lands_twice", nothing_is_missed_and_nothing_lands_twice),
        ("nothing_is_missed_while_writers_run", nothing_is_missed_while_writers_run),
        ("parts_are_of_one_snapshot", parts_are_of_one_snapshot),
        ("numbers_wait_for_those_before_them", numbers_wait_for_those_before_them),
        ("many_who_look_at_once_all_see", many_who_look_at_once_all_see),
    ])
}

fn client(url: &str) -> Client {
    let mut client = Client::open(&Address::parse(url, |_| None).unwrap()).unwrap();
    // A row that is not there locks nothing: two that wait for each other would stop this thread.
    rows(&mut client, "set session transaction isolation level read committed");
    rows(&mut client, "set innodb_lock_wait_timeout = 5, time_zone = '+00:00'");
    client
}

fn rows(client: &mut Client, sql: &str) -> Vec<Vec<String>> {
    let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).unwrap();
    let found = client.run(sql).unwrap_or_else(|trouble| panic!("{sql}: {trouble:?}"));
    found.rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

fn pipeline(url: &str, reads: &str) -> Pipeline {
    let text = format!(
        "{{ etalon: 1, pipeline: p, source: {{ mysql: {{ url: '{url}', table: t, {reads} }}, \
         fields: {{ id: bigint, v: integer, at: timestamptz }} }}, columns: {{ id: required, v: , at: required }}, \
         target: {{ table: t, write: merge, key: id, order_by: at }} }}"
    );
    Pipeline::compile(&text).unwrap().0
}

/// Lands what is new until everything has landed.
fn land_all(pipeline: &Pipeline, url: &str, store: &Memory) {
    landing::land_all(pipeline, store, || Source::open(url).unwrap());
}

/// Lands again until what is wanted is there: what is open anywhere on the server holds a window back, for a while.
fn land_until(pipeline: &Pipeline, url: &str, store: &Memory, mut is_there: impl FnMut() -> bool) {
    let since = Instant::now();
    loop {
        land_all(pipeline, url, store);
        if is_there() {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "it does not land");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A column without parts of seconds has many rows of one value.
const COLUMNS: [&str; 3] = ["timestamp(6)", "timestamp(0)", "timestamp(3)"];

fn table(column: &str) -> String {
    format!("create table t (id bigint primary key, v integer, at {column} not null default '2000-01-01 00:00:00')")
}

const VALUES: &str = "select id, v, concat(at, '+00') from t";

/// What histories came to.
#[derive(Default)]
struct Seen {
    transactions: AtomicU64,
    landings: AtomicU64,
    lost: AtomicU64,
    cut: AtomicU64,
    beaten: AtomicU64,
    naive_missed: AtomicU64,
    naive_histories: AtomicU64,
}

fn nothing_is_missed_and_nothing_lands_twice(server: &Server) {
    let seeds: u64 = std::env::var("ETALON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    let (seen, next) = (Seen::default(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    history(server, seed, &seen);
                }
            });
        }
    });
    let [transactions, landings, lost, cut, beaten, missed, histories] = [
        &seen.transactions,
        &seen.landings,
        &seen.lost,
        &seen.cut,
        &seen.beaten,
        &seen.naive_missed,
        &seen.naive_histories,
    ]
    .map(|count| count.load(Ordering::Relaxed));
    println!(
        "{seeds} histories, {transactions} transactions, {landings} landings: {lost} lost their connection, {cut} were cut short, \
         {beaten} were beaten by another; rows missed 0, doubled 0; `cursor > last` misses {missed} rows in {histories} histories"
    );
    assert!(missed > 0, "the histories are too tame");
}

fn history(server: &Server, seed: u64, seen: &Seen) {
    let count = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Ordering::Relaxed);
    let url = server.database(&format!("history_{seed}"));
    let mut looker = client(&url);
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
    rows(&mut looker, &table(COLUMNS[(seed % 3) as usize]));
    // In every fourth history the clocks of the writers are behind, by less than the lag.
    let (lag, behind) = if seed % 4 == 3 { ("1 second", 900) } else { ("0 seconds", 0) };
    let window = if chance.one_in(2) { "" } else { ", window: 1 second" };
    // A window that is read in parts does not end early.
    let is_split = seed % 5 == 1;
    let split = if is_split { ", split: { by: id, into: 3 }" } else { "" };
    let pipeline = pipeline(&url, &format!("incremental: {{ cursor: at, lag: {lag}{window} }}{split}"));
    let store = Memory::default();
    let mut writers: Vec<(Client, bool)> = (0..4).map(|_| (client(&url), false)).collect();
    let (mut next_id, mut naive, mut naive_at) = (0, Vec::new(), String::from("1970-01-01 00:00:01"));
    for _ in 0..70 {
        let writer = chance.below(4) as usize;
        match chance.below(8) {
            0..=4 => {
                let (connection, is_open) = &mut writers[writer];
                if !*is_open {
                    rows(connection, "begin");
                    *is_open = true;
                    count(&seen.transactions, 1);
                }
                let at = format!("now(6) - interval {} microsecond", chance.below(behind + 1) * 1_000);
                // Each writer has keys of its own: two that wait for each other would stop this thread.
                if next_id < 4 || chance.one_in(2) {
                    let id = next_id * 4 + writer as u64;
                    rows(connection, &format!("insert into t values ({id}, {seed}, {at})"));
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
                std::thread::sleep(Duration::from_millis(chance.below(400)));
                count(&seen.landings, 1);
                let clock = Ticks::default();
                let deadline = if chance.one_in(3) && !is_split { 14 + chance.below(16) as i64 } else { i64::MAX };
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
                let mut database = Disturbed { inner, calls_left: chance.below(16), happens: Some(happens) };
                match block_on(land.land(&mut database, Asked::New)) {
                    Ok(report) => {
                        count(&seen.cut, u64::from(report.is_cut_short));
                    }
                    Err(error) if error.kind() == ErrorKind::Unavailable && kind == 1 => {
                        count(&seen.lost, 1);
                    }
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Changed | ErrorKind::AlreadyExists) && kind == 2 =>
                    {
                        count(&seen.beaten, 1);
                    }
                    Err(error) => panic!("seed {seed}: {error}"),
                }
                let new = format!("select id, v, at from t where at > '{naive_at}' order by at");
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
    // A window of whole seconds ends before the second that runs.
    std::thread::sleep(Duration::from_millis(1_100));
    let there = rows(&mut looker, VALUES);
    land_until(&pipeline, &url, &store, || merged(&landed(&store)) == merged(&there));
    // Whoever lands first removes what those before have left.
    land_all(&pipeline, &url, &store);
    naive.extend(rows(&mut looker, &format!("select id, v, at from t where at > '{naive_at}'")));
    naive.iter_mut().for_each(|row| row[2].push_str("+00"));

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
    assert_eq!(names.iter().filter(is_residue).count(), 0, "seed {seed}: residue stays");
    assert!(kept.iter().all(|piece| names.contains(piece)), "seed {seed}: what a cursor names is there");
    let (naive, there) = (merged(&naive), merged(&there));
    let missed = there.iter().filter(|(id, version)| naive.get(id) != Some(version)).count() as u64;
    count(&seen.naive_missed, missed);
    count(&seen.naive_histories, u64::from(missed > 0));
}

fn nothing_is_missed_while_writers_run(server: &Server) {
    let url = server.database("threads");
    let mut looker = client(&url);
    rows(&mut looker, &table("timestamp(0)"));
    rows(&mut looker, "create index at on t (at)");
    let (pipeline, store) = (pipeline(&url, "incremental: { cursor: at, lag: 0 seconds }"), Memory::default());
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u64)
            .map(|writer| {
                let (url, ended) = (&url, &ended);
                scope.spawn(move || {
                    let (mut connection, mut chance, mut id) = (client(url), Chance(writer + 7), writer);
                    while !ended.load(Ordering::Relaxed) {
                        // Of those without a transaction of their own only the statement is seen.
                        let is_open = chance.one_in(2);
                        if is_open {
                            rows(&mut connection, "begin");
                        }
                        for _ in 0..=chance.below(3) {
                            rows(&mut connection, &format!("insert into t values ({id}, 0, now())"));
                            id += 4;
                        }
                        let old = chance.below(id / 4 + 1) * 4 + writer;
                        let late = if chance.one_in(20) { " and sleep(0.3) = 0" } else { "" };
                        rows(&mut connection, &format!("update t set v = v + 1, at = now() where id = {old}{late}"));
                        if is_open {
                            rows(&mut connection, "commit");
                        }
                    }
                })
            })
            .collect();
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(6) {
            land_all(&pipeline, &url, &store);
        }
        ended.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    let there = rows(&mut looker, VALUES);
    land_until(&pipeline, &url, &store, || merged(&landed(&store)) == merged(&there));
    let records = landed(&store);
    assert_eq!(doubled(&records), 0);
    println!("{} rows of four writers, {} landed", there.len(), records.len());
}

fn numbers_wait_for_those_before_them(server: &Server) {
    let url = server.database("numbers");
    let mut looker = client(&url);
    let made =
        "create table t (id bigint unsigned auto_increment primary key, v integer, at timestamp(6) default now(6))";
    rows(&mut looker, made);
    let (pipeline, store) = (pipeline(&url, "incremental: { cursor: id, window: 2 }"), Memory::default());
    let mut slow = client(&url);
    rows(&mut slow, "begin");
    rows(&mut slow, "insert into t (v) values (1)");
    rows(&mut looker, "insert into t (v) values (2), (3), (4)");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            rows(&mut slow, "commit");
        });
        land_all(&pipeline, &url, &store);
    });
    let numbers = |store: &Memory| landed(store).into_iter().map(|record| record[0].clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&store), ["1", "2", "3", "4"]);
    // Beyond what a signed number holds.
    rows(&mut looker, "insert into t values (18446744073709551614, 5, now(6))");
    land_all(&pipeline, &url, &store);
    assert_eq!(numbers(&store).last().unwrap(), "18446744073709551614");
}

/// The server keeps a look at transactions for a tenth of a second after anybody has looked.
fn many_who_look_at_once_all_see(server: &Server) {
    let url = server.database("many");
    let mut looker = client(&url);
    rows(&mut looker, &table("timestamp(6)"));
    rows(&mut looker, "insert into t values (1, 1, now(6) - interval 5 second)");
    let pipeline = pipeline(&url, "incremental: { cursor: at, lag: 0 seconds }");
    let since = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let store = Memory::default();
                let clock = Ticks::default();
                let land = Land {
                    pipeline: &pipeline,
                    store: &store,
                    clock: &clock,
                    deadline: i64::MAX,
                    piece_bytes: None,
                    rows_max: None,
                };
                // A landing that others hold up for long is left to the next run, as a schedule does it.
                let reads = (1..=5).any(|_| {
                    let report = block_on(land.land(&mut Source::open(&url).unwrap(), Asked::New)).unwrap();
                    let has_landed = landed(&store).len() == 1;
                    assert!(has_landed || report.waits_for.is_some(), "it says why it does not read");
                    has_landed
                });
                assert!(reads, "held up in five runs");
            });
        }
    });
    println!("16 landings at once took {:.1} s", since.elapsed().as_secs_f64());
}

fn parts_are_of_one_snapshot(server: &Server) {
    let url = server.database("parts");
    let mut looker = client(&url);
    rows(&mut looker, &table("timestamp(6)"));
    rows(&mut looker, "insert into t select seq * 7, 100, now(6) from seq_1_to_400");
    let whole = |split: &str| landing::whole("mysql", &url, split);
    let pipelines = ["into: 8", "into: 64"].map(|into| whole(&format!("id, {into}")));
    let mut writer = client(&url);
    let open = || Source::open(&url).unwrap();
    landing::parts_are_of_one_snapshot(&pipelines, open, |sql| drop(rows(&mut writer, sql)));
    // Rows without the number are those of the first part; numbers are not evenly there.
    rows(&mut looker, "update t set v = case when id % 3 = 0 then null when id % 3 = 1 then id * 1000 else -5 end");
    let there = rows(&mut looker, "select id, coalesce(cast(v as char), '\\\\N'), concat(at, '+00') from t");
    landing::parts_have_all_rows(&whole("v, into: 16"), &whole("at, into: 4"), open, &there);
}
