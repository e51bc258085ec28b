//! The loops in a world of faults: whatever happens, the table is right, nothing is lost, nothing is doubled, nothing is left.
//!
//! One number makes one world. The same ones are tried each time, so that nothing but a change makes a test fail: those from 0
//! on, and those from `ETALON_SEED` on, `ETALON_RUNS` of them, for which the nightly workflow takes a fresh number.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it did")]
#![allow(unreachable_pub, missing_docs, reason = "a test has no users")]

mod case;
mod chaos;
mod check;
#[allow(dead_code, reason = "some mutations are caught by lives")]
mod mutant;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::protocol::Step;
use etalon_core::protocol::prefix::{
    BUDGETS, CURSORS, DISCARDED, HELD, LANDED, MANIFESTS, MARKS, PENDING, PIPELINES, PREFIXES, Prefix, QUARANTINE,
    Right, TOKENS,
};

use case::Case;
use chaos::Use;
use mutant::{MUTATIONS, Mutation};
use world::Outcome;

/// In thousandths, at each call of a port.
const FAULTS: [u64; 4] = [8, 20, 40, 80];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Runs a world, and beside it, where every order gives the same table, one without faults.
fn holds(seed: u64) -> Outcome {
    let faults = FAULTS[usize::try_from(seed % FAULTS.len() as u64).unwrap()];
    let disturbed =
        world::run(seed, faults, Mutation::None).unwrap_or_else(|wrong| panic!("ETALON_SEED={seed}: {wrong}"));
    if Case::new(seed).is_calm {
        let undisturbed =
            world::run(seed, 0, Mutation::None).unwrap_or_else(|wrong| panic!("ETALON_SEED={seed}: {wrong}"));
        let sorted = |rows: &[etalon_driver::testing::warehouse::Row]| {
            let mut rows: Vec<_> = rows.iter().map(|row| (row.cells.clone(), row.batch.clone(), row.offset)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&disturbed.rows), sorted(&undisturbed.rows), "ETALON_SEED={seed}");
    }
    disturbed
}

/// Runs some worlds, and gives what the steps did in their stores.
fn many(first: u64, runs: u64) -> BTreeSet<Use> {
    println!("ETALON_SEED={first} ETALON_RUNS={runs}");
    let mut injected: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for seed in first..first + runs {
        let outcome = holds(seed);
        for (fault, count) in outcome.injected {
            *injected.entry(fault).or_default() += count;
        }
        used.extend(outcome.used);
    }
    for (fault, count) in &injected {
        println!("{count:>8}  {fault}");
    }
    println!("{:>8}  faults in {runs} runs", injected.values().sum::<u64>());
    if runs >= 100 {
        assert!(injected.len() >= 9, "every kind of fault was tried: {injected:?}");
    }
    assert_eq!(used.difference(&rights()).collect::<Vec<_>>(), [] as [&Use; 0], "a step does what it has no right to");
    used
}

/// What the steps may do in the store, without what the ports of a warehouse do there.
fn rights() -> BTreeSet<Use> {
    let of = |prefix: &Prefix, step: Step| {
        let below = prefix.text.to_owned();
        prefix.rights(step).iter().map(move |right| (step, below.clone(), *right)).collect::<Vec<_>>()
    };
    // No source lands here; the functions' own rights to what lands are tried in the sandbox.
    let all = PREFIXES.iter().filter(|prefix| ![MANIFESTS, CURSORS, TOKENS, BUDGETS, LANDED].contains(prefix));
    all.flat_map(|prefix| Step::ALL.into_iter().flat_map(move |step| of(prefix, step))).collect()
}

#[test]
fn known_worlds_come_to_the_right_table() {
    let mut used = many(0, 150);
    // A run that was planned before a deployment and is completed by extract after it is rare.
    used.insert((Step::Extract, PIPELINES.text.to_owned(), Right::Read));
    // A run that extract completes and that is held is rare.
    used.insert((Step::Extract, HELD.text.to_owned(), Right::Write));
    // A unit that has lost its mark is rare.
    used.insert((Step::Load, PENDING.text.to_owned(), Right::Write));
    // Nobody redrives here, or takes back what he has discarded.
    for (step, prefix, right) in [
        (Step::Extract, MARKS, Right::List),
        (Step::Extract, MARKS, Right::Read),
        (Step::Extract, MARKS, Right::Write),
        (Step::Transform, MARKS, Right::Read),
        (Step::Extract, QUARANTINE, Right::List),
        (Step::Extract, QUARANTINE, Right::Read),
        (Step::Extract, DISCARDED, Right::List),
        (Step::Extract, DISCARDED, Right::Delete),
    ] {
        used.insert((step, prefix.text.to_owned(), right));
    }
    assert_eq!(rights().difference(&used).collect::<Vec<_>>(), [] as [&Use; 0], "a right that nobody needs");
}

/// What has gone wrong once goes right.
#[test]
fn remembered_worlds_come_to_the_right_table() {
    [1_238, 1_467, 4_000_763].into_iter().for_each(|seed| drop(holds(seed)));
}

#[test]
fn new_worlds_come_to_the_right_table() {
    many(number("ETALON_SEED").unwrap_or(1_000_000), number("ETALON_RUNS").unwrap_or(150));
}

/// Each rule of the protocol is there for a reason: without it, some world goes wrong.
#[test]
fn every_mutation_is_caught() {
    const WORLDS_MAX: u64 = 3_000;
    // A plan that is written over is seen where a pipeline is deployed just then, which few worlds do.
    const RARE: u64 = 9_441;
    let worlds = number("ETALON_WORLDS").unwrap_or(WORLDS_MAX);
    let missed: Vec<Mutation> = MUTATIONS
        .into_iter()
        .filter(|&mutation| {
            let caught = [RARE].into_iter().chain(0..worlds).find_map(|seed| {
                let wrong = world::run(seed, FAULTS[1], mutation).err()?;
                println!("{mutation:?} is caught by world {seed}: {}", wrong.chars().take(160).collect::<String>());
                Some(())
            });
            caught.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not caught in {worlds} worlds: {missed:?}");
}
