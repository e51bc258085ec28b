//! Lives: days of a pipeline between its runs, held against a model of a page. Nothing is lost, doubled or stale, and what is
//! held is told.
//!
//! One number makes one life. The same ones are tried each time, so that nothing but a change makes a test fail: those from 0
//! on, and those from `ETALON_SEED` on, `ETALON_RUNS` of them, for which the nightly workflow takes a fresh number;
//! `ETALON_LIVES=plain` takes the plain ones. All of them are lived, and what goes wrong is told at the end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it did")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test has no users")]

#[path = "../simulation/chaos.rs"]
mod chaos;
mod by_hand;
mod faults;
mod functions;
mod life;
mod machine;
mod model;
#[path = "../simulation/mutant.rs"]
mod mutant;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use faults::Faults;
use life::Life;
use mutant::{MUTATIONS_OF_LIVES, Mutation};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// What is wrong with a life, if something is: also a panic.
fn wrong(life: &Life, faults: &Faults) -> Option<String> {
    wrong_with(life, faults, Mutation::None)
}

fn wrong_with(life: &Life, faults: &Faults, mutation: Mutation) -> Option<String> {
    let lived = std::panic::catch_unwind(AssertUnwindSafe(|| machine::live(life, faults, mutation)));
    match lived {
        Ok(lived) => lived.err(),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            Some(words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned())).unwrap_or_default())
        }
    }
}

/// Leaves out whatever can be left out while the life goes wrong.
fn shrink(mut life: Life, mut what: String) -> (Life, String) {
    while let Some(smaller) =
        life.smaller().into_iter().find_map(|less| Some((wrong(&less, &Faults::default())?, less)))
    {
        (what, life) = smaller;
    }
    (life, what)
}

fn many(first: u64, runs: u64, of: impl Fn(u64) -> Life) {
    println!("ETALON_SEED={first} ETALON_RUNS={runs}");
    let faults = Faults::default();
    let mut events: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong_ones = Vec::new();
    for number in first..first + runs {
        let life = of(number);
        for happening in life.days.iter().flatten().filter(|happening| life.takes(happening.event)) {
            *events.entry(happening.event.kind()).or_default() += 1;
        }
        if let Some(what) = wrong(&life, &faults) {
            wrong_ones.push((number, life, what));
        }
    }
    for (event, count) in events {
        println!("{count:>8}  {event}");
    }
    for (fault, count) in faults.injected() {
        println!("{count:>8}  {fault}");
    }
    let numbers: Vec<u64> = wrong_ones.iter().map(|(number, ..)| *number).collect();
    if let Some((number, life, what)) = wrong_ones.into_iter().next() {
        let (life, what) = shrink(life, what);
        println!("the smallest life that goes wrong:");
        drop(wrong(&life, &Faults::default()));
        panic!("{numbers:?} go wrong; ETALON_SEED={number}\n{life}  {what}");
    }
}

#[test]
fn known_lives_go_right() {
    many(0, 150, Life::new);
}

/// What has gone wrong once goes right.
#[test]
fn remembered_lives_go_right() {
    // A reload that was killed, and asked for again, leaves no parts.
    many(3_000_972, 1, Life::plain);
    // What was sent again before the table was dropped is a reject like any other when everything is loaded again.
    many(1_109, 1, Life::plain);
    // Whether there are rows of which no ledger tells is asked until there is an answer.
    many(10, 1, Life::new);
    // Of a whole run that was killed before it was judged no part is left.
    many(20, 1, Life::new);
    // Of two workers that meet an object at once, one may see what the other has half done.
    many(329, 1, Life::new);
    // A decision that was kept and not carried out is carried out by whoever comes.
    many(178, 1, Life::new);
    // What is brought again as a whole, with a mended pipeline, brings also what a redrive holds.
    many(3_593, 1, Life::plain);
    // What was held of a reload stays held once when its table is dropped.
    many(4_428, 1, Life::plain);
    // A redrive is one still when the store was lost, and takes the place of nothing.
    many(8_147, 1, Life::plain);
    // With the ledger goes what was remembered of deletes.
    many(3_080, 1, Life::new);
    // A row that was beaten comes back when the one that has beaten it goes, in whichever load.
    many(2_361, 1, Life::new);
    // A beaten row keeps a column that the mapping has no more.
    many(7_000_152, 1, Life::new);
    // Two files change their contents with each other.
    many(7_000_649, 1, Life::new);
    many(7_005_134, 1, Life::new);
    // A unit is judged again while a loader holds it: it is not lost to sight.
    many(424_200_233, 1, Life::new);
    // A unit that is to be loaded and lost its mark is marked again.
    many(7_400_003, 1, Life::new);
    // What was loaded again by several tasks has the contents that it had when one task read it.
    many(7_521_663, 1, Life::new);
}

#[test]
fn new_lives_go_right() {
    let (first, runs) = (number("ETALON_SEED").unwrap_or(1_000_000), number("ETALON_RUNS").unwrap_or(150));
    match std::env::var("ETALON_LIVES").as_deref() {
        Ok("plain") => many(first, runs, Life::plain),
        Err(_) => many(first, runs, Life::new),
        Ok(other) => panic!("ETALON_LIVES={other}: it is `plain`, or not said"),
    }
}

/// Each rule that a port can break is there for a reason: without it, some life goes wrong.
#[test]
fn every_mutation_is_caught() {
    const LIVES_MAX: u64 = 1_000;
    let missed: Vec<Mutation> = MUTATIONS_OF_LIVES
        .into_iter()
        .filter(|&mutation| {
            let caught = (0..LIVES_MAX).find_map(|number| {
                let wrong = wrong_with(&Life::new(number), &Faults::default(), mutation)?;
                println!("{mutation:?} is caught by life {number}: {}", wrong.chars().take(160).collect::<String>());
                Some(())
            });
            caught.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not caught in {LIVES_MAX} lives: {missed:?}");
}
