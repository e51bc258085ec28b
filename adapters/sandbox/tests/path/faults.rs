//! Faults: everything that goes wrong in an account, by chance, while objects come and change and a pipeline is deployed and rolled
//! back. One number makes one such day. When it has come to rest, each object's last version is in the table, once.
//!
//! `ETALON_SEEDS=50 ETALON_OBJECTS=200 cargo test --test path faults` tries more; `ETALON_SEED` is the first number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use etalon_core::protocol::{Unit, UnitState};
use etalon_sandbox::cloud::{Cloud, Settings};
use etalon_sandbox::gateway::Outage;
use etalon_sandbox::lambda::Mishap;
use etalon_sandbox::redshift::Behaviour;
use serde_json::json;

use super::laptop::cells;
use super::{PATIENCE, Shared, orders, settle_within};

/// Each row says of which object and version it is.
const PIPELINE: &str = "
etalon: 1
pipeline: faults
source:
  files: in/*.csv
  format: csv
  fields: { id: bigint, object: bigint, version: bigint }
  on_overwrite: replace
columns: { id: bigint required, object: bigint required, version: bigint required }

target: { table: analytics.faults, write: append }
";
/// The same rows, by another file: its fingerprint is another one.
const DEPLOYED_BETWEEN: &str = "version: { from: version + 0, type: bigint, required: true }";
/// Rows of an object.
const ROWS: u64 = 5;

/// A little chance: the same for the same number.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        // A step of xorshift (Marsaglia, 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What went wrong, by kind.
type Faults = BTreeMap<&'static str, u64>;

pub(crate) async fn everything_that_goes_wrong_loses_nothing(shared: &Shared) {
    let (first, seeds) = (orders::number("ETALON_SEED", 1), orders::number("ETALON_SEEDS", 2));
    let objects = u64::from(orders::number("ETALON_OBJECTS", 20));
    let mut all = Faults::new();
    for seed in first..first + seeds {
        let faults = day(shared, seed, objects).await;
        println!("seed {seed}: {faults:?}");
        faults.into_iter().for_each(|(kind, count)| *all.entry(kind).or_default() += count);
    }
    println!("{seeds} days of {objects} objects: lost 0, doubled 0, stale 0, residue 0; {all:?}");
}

/// One day.
async fn day(shared: &Shared, seed: u32, objects: u64) -> Faults {
    let mut settings = Settings::new(&format!("faults-{seed}"), PIPELINE, shared.programs.clone());
    let sizes = &mut settings.sizes;
    for size in [&mut sizes.extract, &mut sizes.transform, &mut sizes.load] {
        // So long a message is away that nobody has dealt with.
        size.timeout_seconds = 5;
    }
    // What goes wrong is not to bury a message.
    sizes.receives_max = 1000;
    let mut cloud = shared.cloud_of(settings, 0).await;
    let mut chance = Chance(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut faults = Faults::new();
    let mut versions = vec![0; objects as usize];
    let (mut come, mut steps) = (0, 0);
    while come < objects || steps < 20 {
        steps += 1;
        // Some objects come, and some that were there become others.
        for _ in 0..1 + chance.below(objects / 8 + 1) {
            let object = if come < objects { come } else { chance.below(objects) };
            come = (come + 1).min(objects);
            put(&cloud, &mut versions, object, &mut chance, &mut faults).await;
        }
        if chance.below(3) == 0 && come > 0 {
            let object = chance.below(come);
            put(&cloud, &mut versions, object, &mut chance, &mut faults).await;
        }
        go_wrong(&mut cloud, &mut chance, &mut faults).await;
        tokio::time::sleep(Duration::from_millis(chance.below(300))).await;
    }
    // The world is well again; whoever lost an event is found by the schedule.
    cloud.set_outage(None);
    cloud.redshift().forget_script();
    cloud.stages().iter().for_each(|stage| {
        stage.function.clear_mishaps();
    });
    // Calls are cut short here, so that it takes longer where there is more.
    let patience = PATIENCE * u32::try_from(1 + objects / 20).unwrap();
    for round in 0..3 {
        // A busy machine may cut a call short; the scheduler makes it again.
        let start = json!({ "run": format!("the rest {round}") });
        let mut calls = 0;
        while let Err(cut) = cloud.event(&start).await.unwrap().result {
            calls += 1;
            assert!(calls < 100, "ETALON_SEED={seed}: extract never ends its call: {cut:?}");
        }
        settle_within(&cloud, patience).await;
    }
    hold_against(&cloud, seed, &versions).await;
    faults
}

/// Puts the next version of an object; an event may tell of it once, twice or not at all.
async fn put(cloud: &Cloud, versions: &mut [u64], object: u64, chance: &mut Chance, faults: &mut Faults) {
    let version = &mut versions[object as usize];
    *version += 1;
    let mut text = "id,object,version\n".to_owned();
    for row in 0..ROWS {
        text += &format!("{},{object},{version}\n", object * ROWS + row);
    }
    if *version > 1 {
        *faults.entry("object overwritten").or_default() += 1;
    }
    let key = cloud.upload(&format!("in/{object:04}.csv"), text.into_bytes()).await.unwrap();
    match chance.below(4) {
        0 => *faults.entry("event lost").or_default() += 1,
        1 => {
            *faults.entry("event doubled").or_default() += 1;
            cloud.object_created(&key).await.unwrap();
            cloud.object_created(&key).await.unwrap();
        }
        _ => cloud.object_created(&key).await.unwrap(),
    }
}

/// Something goes wrong.
async fn go_wrong(cloud: &mut Cloud, chance: &mut Chance, faults: &mut Faults) {
    let stage = chance.below(3) as usize;
    let after = Duration::from_millis(5 + chance.below(400));
    let kind = match chance.below(12) {
        0 | 1 => {
            cloud.stages()[stage].function.inject(Mishap::Kill(after));
            "function killed"
        }
        2 => {
            cloud.stages()[stage].function.inject(Mishap::LoseResponse);
            "response lost"
        }
        3 => {
            cloud.stages()[stage].function.inject(Mishap::Duplicate);
            "call doubled"
        }
        4 => {
            cloud.redshift().script(Behaviour::on("COPY").times(1).delay(Duration::from_secs(6))).unwrap();
            "statement late"
        }
        5 => {
            cloud.redshift().script(Behaviour::on("COPY").times(1).abort()).unwrap();
            "statement aborted"
        }
        6 => {
            cloud.redshift().script(Behaviour::on("COPY").times(1).abort_after_commit()).unwrap();
            "statement aborted after its commit"
        }
        7 => {
            cloud.redshift().script(Behaviour::on("COPY").times(1).lose_response()).unwrap();
            "statement's id lost"
        }
        8 => {
            cloud.redshift().advance(Duration::from_secs(60 * chance.below(600)));
            "clock jumped"
        }
        9 => {
            let outage = [Outage::Unavailable, Outage::Expired][chance.below(2) as usize];
            cloud.set_outage(Some(outage));
            tokio::time::sleep(after * 3).await;
            cloud.set_outage(None);
            if outage == Outage::Expired { "credentials expired" } else { "services down" }
        }
        10 => {
            cloud.stages()[stage].function.retire();
            "environments retired"
        }
        _ => {
            // Deployed, and rolled back a moment later.
            let other = PIPELINE.replace("version: bigint required", DEPLOYED_BETWEEN);
            cloud.deploy(&other).await.unwrap();
            tokio::time::sleep(after).await;
            cloud.deploy(PIPELINE).await.unwrap();
            "deployed and rolled back"
        }
    };
    *faults.entry(kind).or_default() += 1;
}

/// The table has the last version of each object, once, and nothing is left of the way there.
async fn hold_against(cloud: &Cloud, seed: u32, versions: &[u64]) {
    let rows = cells(cloud.database_url(), "analytics.faults", "id, version");
    let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for row in rows {
        let number = |at: usize| row[at].as_deref().unwrap().parse::<u64>().unwrap();
        found.entry(number(0)).or_default().push(number(1));
    }
    let ids: BTreeSet<u64> = (0..versions.len() as u64 * ROWS).collect();
    let lost: Vec<_> = ids.iter().filter(|id| !found.contains_key(id)).collect();
    let doubled: Vec<_> = found.iter().filter(|(_, versions)| versions.len() > 1).collect();
    let stale: Vec<_> = found
        .iter()
        .filter(|(id, has)| has.iter().any(|version| *version != versions[(*id / ROWS) as usize]))
        .collect();
    let units = cloud.units().await.unwrap();
    let open = |state: &UnitState| matches!(state, UnitState::Pending | UnitState::Held { .. });
    let residue: Vec<_> = units.iter().filter(|unit| open(&unit.state)).collect();
    // A call by hand that a busy machine has not ended in its time is made again by the test.
    let mut letters = cloud.dead_letters().await.unwrap();
    letters.retain(|letter| !letter.attributes.contains_key("ErrorCode"));
    let well = lost.is_empty() && doubled.is_empty() && stale.is_empty() && residue.is_empty() && letters.is_empty();
    if !well {
        tell(cloud, &units);
    }
    assert!(
        well,
        "ETALON_SEED={seed}: lost {lost:?}, doubled {doubled:?}, stale {stale:?}, residue {residue:?}, dead letters {letters:?}"
    );
}

/// Everything that the cloud has kept of the day, for whoever looks for what went wrong.
fn tell(cloud: &Cloud, units: &[Unit]) {
    for unit in units {
        eprintln!("{unit:?}");
    }
    for row in cloud.ledger().unwrap() {
        eprintln!("{row:?}");
    }
    for row in cells(cloud.database_url(), "analytics.faults", "*") {
        eprintln!("{row:?}");
    }
    for stage in cloud.stages() {
        for line in stage.function.log() {
            eprintln!("{}: {line}", stage.step.name());
        }
    }
}
