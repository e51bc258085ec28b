//! World: the real loops over ports in memory, first in chaos and then at rest.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{LoadLimits, LoadMessage, Start, Step, UnitState, Work, name, prefix, print};
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::held;
use etalon_driver::load::Loader;
use etalon_driver::memory::{Kind, ManualClock, Memory, MemoryQueue};
use etalon_driver::ports::{Clock, Entry, Objects, Order, Put, Queue, Quiet};
use etalon_driver::store::Handled;
use etalon_driver::testing::warehouse::{End, Fate, Flaws, MemoryWarehouse, Row};
use etalon_driver::transform::Transform;
use pollster::block_on;

use crate::case::{Case, Happening, MINUTE, PREFIX};
use crate::chaos::{Chance, Chaos, Chaotic, Told, Use, Workers};
use crate::mutant::{Mutant, Mutation};

const VISIBILITY: i64 = MINUTE;
const RECEIVES_MAX: u32 = 4;
/// So many turns chaos lasts at most.
const TURNS_MAX: usize = 4_000;
/// So many rounds the world may take to come to rest.
const ROUNDS_MAX: usize = 40;

/// The world's ports.
pub struct World<'a> {
    pub case: &'a Case,
    pub mutation: Mutation,
    pub clock: &'a ManualClock,
    pub chaos: &'a Chaos,
    pub source: &'a Memory,
    pub store: &'a Memory,
    pub starts: &'a MemoryQueue<&'a ManualClock>,
    pub tasks: &'a MemoryQueue<&'a ManualClock>,
    pub loads: &'a MemoryQueue<&'a ManualClock>,
    pub warehouse: &'a MemoryWarehouse<'a, Memory, ManualClock>,
    pub told: &'a Told,
    /// Units of which somebody decided that they are not loaded.
    pub discarded: Mutex<BTreeSet<String>>,
}

/// What a run of the world gives.
pub struct Outcome {
    pub rows: Vec<Row>,
    pub injected: BTreeMap<&'static str, u64>,
    pub used: BTreeSet<Use>,
}

/// Runs the world of a number; the error says what is not as it must be.
pub fn run(seed: u64, faults: u64, mutation: Mutation) -> Result<Outcome, String> {
    let case = Case::new(seed);
    let clock = ManualClock::new(0);
    let chaos = Arc::new(Chaos::new(seed, faults));
    let fated = Arc::clone(&chaos);
    let (source, store) = (Memory::default(), Memory::default());
    let starts = MemoryQueue::new(Kind::Standard(seed), &clock, RECEIVES_MAX);
    let tasks = MemoryQueue::new(Kind::Standard(seed + 1), &clock, RECEIVES_MAX);
    let loads = MemoryQueue::new(Kind::Fifo, &clock, RECEIVES_MAX);
    let flaws = Flaws { no_fence: mutation == Mutation::NoFence, no_ledger: mutation == Mutation::NoLedgerRow };
    let mut fates = Chance::new(seed ^ 0xfa7e);
    let warehouse = MemoryWarehouse::new(&store, &clock, flaws, move |_| {
        let takes = i64::try_from(fates.below(4) * fates.below(200)).unwrap_or_default() * 1_000_000;
        let end = if faults == 0 {
            End::Finishes
        } else {
            match fates.below(16) {
                0 => End::Fails,
                1 => End::IsAborted,
                2 => End::IsAbortedAfterCommit,
                _ => End::Finishes,
            }
        };
        match end {
            End::Fails => fated.count("statement failed"),
            End::IsAborted => fated.count("statement aborted before commit"),
            End::IsAbortedAfterCommit => fated.count("statement aborted after commit"),
            End::Finishes => {}
        }
        Fate { takes, end }
    });
    if let Some(refused) = &case.refused {
        warehouse.refuse(refused);
    }
    let told = Told::default();
    let world = World {
        case: &case,
        mutation,
        clock: &clock,
        chaos: &chaos,
        source: &source,
        store: &store,
        starts: &starts,
        tasks: &tasks,
        loads: &loads,
        warehouse: &warehouse,
        told: &told,
        discarded: Mutex::default(),
    };
    let mut chance = Chance::new(seed ^ 0x0dd5);
    let deployed = world.live(&mut chance);
    chaos.calm();
    world.rest(deployed, &mut chance)?;
    crate::check::check(&world)?;
    Ok(Outcome { rows: warehouse.rows(), injected: chaos.injected(), used: chaos.used() })
}

fn load_message(table: &str, deduplication: String) -> Entry {
    let body = print(&LoadMessage { table: table.to_owned() });
    Entry { body, order: Some(Order { group: name::group(table), deduplication }) }
}

impl<'a> World<'a> {
    /// Chaos: everything happens, and workers take turns. Gives which pipeline is deployed at the end.
    fn live(&self, chance: &mut Chance) -> usize {
        let mut workers = Workers::new(self.chaos, self.clock);
        let mut happenings = self.case.events.iter().peekable();
        let mut deployed = 0;
        for _ in 0..TURNS_MAX {
            let now = self.clock.now();
            while let Some((_, what)) = happenings.next_if(|(at, _)| *at <= now) {
                self.happen(what, &mut deployed, chance);
            }
            let idle = self.starts.is_empty() && self.tasks.is_empty() && self.loads.is_empty();
            if workers.len() < 4 && chance.one_in(3) {
                self.hire(&mut workers, deployed, chance);
            }
            if !workers.turn(chance) {
                let next = happenings.peek().map(|(at, _)| *at);
                let waits = [
                    next,
                    workers.next_wake(),
                    self.starts.next_visible(),
                    self.tasks.next_visible(),
                    self.loads.next_visible(),
                    self.warehouse.next_end(),
                ];
                let wait = waits.into_iter().flatten().filter(|&at| at > now).min();
                if wait.is_none() && idle && workers.len() == 0 {
                    break;
                }
                if chance.one_in(4) {
                    self.clock.advance(wait.map_or(0, |at| at - now));
                }
            }
            self.clock.advance(i64::try_from(chance.below(40_000)).unwrap_or_default());
        }
        // What has not happened yet happens now; who still works is killed.
        happenings.for_each(|(_, what)| self.happen(what, &mut deployed, chance));
        deployed
    }

    fn happen(&self, what: &Happening, deployed: &mut usize, chance: &mut Chance) {
        let send = |queue: &MemoryQueue<&ManualClock>, entry: Entry| {
            assert_eq!(block_on(queue.send(std::slice::from_ref(&entry))).unwrap(), []);
        };
        let start = |work: Work, run: String, batch_time: i64, backfill: bool| {
            let pipeline = self.case.deployed[0].pipeline.name().to_owned();
            let start = Start { pipeline, run, batch_time, work, backfill, after: None, hop: 0, landings: 0 };
            send(self.starts, Entry { body: print(&start), order: None });
        };
        match what {
            Happening::Write(name, bytes) => drop(block_on(self.source.put(name, bytes, Put::Always)).unwrap()),
            Happening::List { run, batch_time, backfill } => {
                start(Work::Prefix(PREFIX.to_owned()), format!("run {run}"), *batch_time, *backfill);
            }
            Happening::Event { object, batch_time } => {
                start(Work::Object(object.clone()), format!("event {object}"), *batch_time, false);
            }
            Happening::Deploy => *deployed = 1,
            Happening::Poison(queue, body) => {
                let order =
                    (*queue == 2).then(|| Order { group: "g".to_owned(), deduplication: chance.next().to_string() });
                let queue = [self.starts, self.tasks, self.loads][*queue];
                send(queue, Entry { body: body.clone(), order });
            }
        }
    }

    /// One more worker, for one of the queues, or a sweep.
    fn hire<'w>(&'w self, workers: &mut Workers<'w>, deployed: usize, chance: &mut Chance) {
        let deployed = &self.case.deployed[deployed];
        let most = usize::try_from(1 + chance.below(3)).unwrap_or(1);
        // Some functions are told to stop before they are done.
        let short = chance.one_in(4);
        let deadline = self.clock.now() + if short { 100_000 } else { 10 * MINUTE };
        let coin = chance.next();
        match chance.below(15) / 2 {
            0 | 1 => workers.begin(self.extract(deployed, most, deadline)),
            2 | 3 => workers.begin(self.transform(deployed, most)),
            4 | 5 => workers.begin(async move { while self.load(deployed, deadline).await > 0 && !short {} }),
            6 => workers.begin(async move { self.sweep(deployed, deadline).await }),
            // Whoever decides may be interrupted, and decides again.
            _ => workers.begin(async move { drop(self.decide(coin).await) }),
        }
    }

    fn chaotic<P>(&self, inner: &'a P) -> Chaotic<'a, P> {
        Chaotic { inner, chaos: self.chaos, step: None }
    }

    fn mutant<P>(&self, inner: &'a P) -> Mutant<Chaotic<'a, P>> {
        Mutant::new(self.chaotic(inner), self.mutation)
    }

    /// The store, as a step has it.
    fn store_of(&self, step: Step) -> Mutant<Chaotic<'a, Memory>> {
        Mutant::new(Chaotic { step: Some(step), ..self.chaotic(self.store) }, self.mutation)
    }

    /// Receives messages, handles them and settles them, as a function and its poller do.
    async fn serve<Q: Queue>(
        &self,
        queue: &Q,
        most: usize,
        handle: impl AsyncFn(&etalon_driver::ports::Message) -> Handled,
    ) -> usize {
        let Ok(messages) = queue.receive(most, VISIBILITY).await else { return 0 };
        for message in &messages {
            if self.mutation == Mutation::DeletedBeforeWork {
                let _ = queue.delete(message).await;
            }
            let handled = handle(message).await;
            // A message that could not be removed comes again.
            let _ = handled.settle(queue, message).await;
        }
        messages.len()
    }

    async fn extract(&self, deployed: &Deployed, most: usize, deadline: i64) {
        let queue = self.chaotic(self.starts);
        let (source, store, tasks) =
            (self.chaotic(self.source), self.store_of(Step::Extract), self.chaotic(self.tasks));
        let (clock, starts, loads) = (self.clock, &queue, self.chaotic(self.loads));
        let extract = Extract {
            deployed,
            source: &source,
            store: &store,
            tasks: &tasks,
            starts,
            loads: &loads,
            clock,
            witness: &Quiet,
            deadline,
            replans: false,
        };
        self.serve(&queue, most, async |message| extract.handle(message).await).await;
    }

    async fn transform(&self, deployed: &Deployed, most: usize) {
        let queue = self.chaotic(self.tasks);
        let (source, store, loads) =
            (self.chaotic(self.source), self.store_of(Step::Transform), self.chaotic(self.loads));
        let transform =
            Transform { deployed, source: &source, store: &store, loads: &loads, witness: &Quiet, progress: &Quiet };
        self.serve(&queue, most, async |message| transform.handle(message).await).await;
    }

    async fn load(&self, deployed: &Deployed, deadline: i64) -> usize {
        let queue = self.chaotic(self.loads);
        let (store, warehouse, events) =
            (self.store_of(Step::Load), self.mutant(self.warehouse), self.chaotic(self.told));
        let loader = self.loader(deployed, &store, &warehouse, &events, deadline);
        self.serve(&queue, 1, async |message| loader.handle(message).await).await
    }

    async fn sweep(&self, deployed: &Deployed, deadline: i64) {
        let (store, warehouse, events) =
            (self.store_of(Step::Load), self.mutant(self.warehouse), self.chaotic(self.told));
        // A sweep that fails is followed by another.
        let _ = self.loader(deployed, &store, &warehouse, &events, deadline).sweep().await;
    }

    fn loader<'l, T, W, E>(
        &'l self,
        deployed: &'l Deployed,
        store: &'l T,
        warehouse: &'l W,
        events: &'l E,
        deadline: i64,
    ) -> Loader<'l, T, W, E, ManualClock, Quiet> {
        let limits = LoadLimits { units_max: 3, ..LoadLimits::default() };
        Loader {
            deployed,
            store,
            warehouse,
            events,
            clock: self.clock,
            witness: &Quiet,
            limits,
            accepts_doubles: true,
            deadline,
        }
    }

    /// No more faults: the schedule goes on, the operator redrives dead letters and decides about held units, until nothing
    /// is left to do.
    fn rest(&self, deployed: usize, chance: &mut Chance) -> Result<(), String> {
        let case = self.case;
        let deployed = &case.deployed[deployed];
        let table = name::table(deployed.pipeline.table());
        let mut after = String::new();
        for round in 0..ROUNDS_MAX {
            let batch_time = if self.case.is_calm { 0 } else { self.clock.now() };
            let event = Happening::List { run: 1_000 + round as u64, batch_time, backfill: false };
            self.happen(&event, &mut 0, chance);
            for queue in [self.starts, self.tasks, self.loads] {
                queue.redrive();
            }
            let sweep = load_message(&table, format!("sweep {round}"));
            block_on(self.loads.send(&[sweep])).map_err(|error| error.to_string())?;
            for _ in 0..3 {
                while self.work(deployed) {}
                self.clock.advance(6 * MINUTE);
            }
            after = self.unrest(&table);
            if after.is_empty() {
                return Ok(());
            }
            let coin = chance.next();
            self.finish(async move {
                let _ = self.decide(coin).await;
            });
        }
        Err(format!("the world does not come to rest: {after}"))
    }

    /// One call of each function, to its end; whether there was anything to do.
    fn work(&self, deployed: &Deployed) -> bool {
        let before = (self.starts.len(), self.tasks.len(), self.loads.len());
        let deadline = self.clock.now() + 10 * MINUTE;
        self.finish(self.extract(deployed, 10, deadline));
        self.finish(self.transform(deployed, 10));
        self.finish(async move {
            self.load(deployed, deadline).await;
        });
        before != (self.starts.len(), self.tasks.len(), self.loads.len())
    }

    /// A sweep of a table at rest.
    pub fn look(&self) {
        self.finish(self.sweep(&self.case.deployed[0], i64::MAX));
    }

    fn finish<'w>(&'w self, work: impl Future<Output = ()> + 'w) {
        let mut workers = Workers::new(self.chaos, self.clock);
        workers.begin(work);
        while workers.turn(&mut Chance::new(0)) {}
    }

    /// What is left to be done.
    fn unrest(&self, table: &str) -> String {
        let mut left = Vec::new();
        for (queue, what) in [(self.starts, "starts"), (self.tasks, "tasks"), (self.loads, "loads")] {
            if !queue.is_empty() {
                left.push(format!("{} {what}", queue.len()));
            }
            for (body, reason) in queue.dead() {
                if !self.case.poison.contains(&body) {
                    left.push(format!("a dead letter {body}: {reason:?}"));
                } else if reason.is_none() {
                    left.push(format!("poison without a reason: {body}"));
                }
            }
        }
        for prefix in [name::pending(table, ""), name::held(table, ""), prefix::LOADS.text.to_owned()] {
            left.extend(block_on(self.store.list(&prefix, None, 9)).unwrap_or_default());
        }
        left.join("; ")
    }

    /// What an operator does with held units: what can be loaded is, as the coin falls.
    async fn decide(&self, coin: u64) -> Result<(), Error> {
        let table = name::table(self.case.deployed[0].pipeline.table());
        let (store, loads) = (self.store_of(Step::Extract), self.chaotic(self.loads));
        let pipeline = &self.case.deployed[0].pipeline;
        for (unit, _) in held::waiting(&store, &table).await? {
            let unit_name = unit.name.clone();
            let releases = match &unit.state {
                UnitState::Held { reasons, incomplete, .. } => {
                    let can_load = |why: &String| why.contains("the limit is") || why.contains("was loaded before");
                    let is_wanted = (coin ^ unit.counts.read).is_multiple_of(2) && !self.case.is_calm;
                    !incomplete && reasons.iter().all(can_load) && is_wanted
                }
                // A release was interrupted.
                UnitState::Pending => true,
                _ => continue,
            };
            let decided = vec![unit_name.clone()];
            if !releases {
                let mut discarded =
                    self.discarded.lock().map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))?;
                discarded.insert(unit_name.clone());
            }
            let start = Start {
                pipeline: pipeline.name().to_owned(),
                run: format!("decision {} {unit_name}", self.clock.now()),
                batch_time: 0,
                work: if releases { Work::Release(decided) } else { Work::Discard(decided) },
                backfill: false,
                after: None,
                hop: 0,
                landings: 0,
            };
            held::decide(pipeline, &store, &loads, &start).await?;
        }
        Ok(())
    }
}
