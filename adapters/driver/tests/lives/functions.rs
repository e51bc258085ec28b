//! Functions: a call that the three functions answer: a message, queues that give it twice and in any order, some workers at a
//! time, of which any may be killed or stopped, and the schedule that looks again until nothing is left to do.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{LoadLimits, Start, UnitState, name, prefix, print};
use etalon_driver::connection::Connection;
use etalon_driver::deployed::Deployed;
use etalon_driver::embedded::Embedded;
use etalon_driver::extract::Extract;
use etalon_driver::held;
use etalon_driver::load::Loader;
use etalon_driver::memory::{Kind, ManualClock, Memory, MemoryQueue};
use etalon_driver::ports::{Clock, Entry, Message, Objects, Queue, Quiet};
use etalon_driver::store::Handled;
use etalon_driver::transform::Transform;
use pollster::block_on;

use crate::chaos::{Chance, Chaos, Chaotic, Told, Workers};
use crate::faults::Faults;

const MINUTE: i64 = 60_000_000;
/// So many workers work at a time.
const WORKERS_MAX: usize = 3;
/// So many turns there may be faults.
const FAULTY_TURNS_MAX: usize = 3_000;

/// The functions, and what chance does to them.
pub struct Cloud<'a> {
    pub deployed: &'a Deployed,
    pub source: &'a Memory,
    pub store: &'a Memory,
    pub clock: &'a ManualClock,
    pub seed: u64,
    /// In thousandths, at each call of a port.
    pub faults: u64,
    /// Whether contents that are in the table are appended once more.
    pub accepts_doubles: bool,
    /// So many turns a call may take.
    pub turns_max: usize,
}

/// What the workers of a call share.
struct Hands<'a, 'w> {
    cloud: &'a Cloud<'a>,
    chaos: &'a Chaos,
    warehouse: &'a Embedded<'w, Memory, Box<dyn Connection>, ManualClock>,
    starts: MemoryQueue<&'a ManualClock>,
    tasks: MemoryQueue<&'a ManualClock>,
    loads: MemoryQueue<&'a ManualClock>,
    told: Told,
}

impl Cloud<'_> {
    /// Sends a start, and lets the functions work until nothing is left to do. The error is why a message is among the dead
    /// letters.
    pub fn call(&self, warehouse: &mut Box<dyn Connection>, start: &Start, counted: &Faults) -> Result<(), Error> {
        let chaos = Chaos::new(self.seed, self.faults);
        let embedded = Embedded::new(self.deployed, self.store, warehouse, self.clock);
        let hands = Hands {
            cloud: self,
            chaos: &chaos,
            warehouse: &embedded,
            starts: MemoryQueue::new(Kind::Standard(self.seed), self.clock, 5),
            tasks: MemoryQueue::new(Kind::Standard(self.seed + 1), self.clock, 5),
            loads: MemoryQueue::new(Kind::Fifo, self.clock, 5),
            told: Told::default(),
        };
        let chance = &mut Chance::new(self.seed ^ 0x0dd5);
        let body = print(start);
        block_on(hands.starts.send(&[Entry { body: body.clone(), order: None }]))?;
        if chance.one_in(2) {
            hands.starts.double(&body);
            chaos.count("start sent twice");
        }
        let ended = hands.work(chance);
        counted.add(&chaos.injected());
        ended
    }
}

impl Hands<'_, '_> {
    fn work(&self, chance: &mut Chance) -> Result<(), Error> {
        let mut workers = Workers::new(self.chaos, self.cloud.clock);
        for turn in 0..self.cloud.turns_max {
            if turn == FAULTY_TURNS_MAX {
                self.chaos.calm();
            }
            let queues = [&self.starts, &self.tasks, &self.loads];
            if workers.len() == 0 && queues.iter().all(|queue| queue.is_empty()) {
                self.look_at_dead_letters()?;
                if queues.iter().all(|queue| queue.is_empty()) && !self.is_left()? {
                    return Ok(());
                }
                self.cloud.clock.advance(6 * MINUTE);
                workers.begin(self.sweep());
            }
            if workers.len() < WORKERS_MAX && chance.one_in(3) {
                let deadline = self.cloud.clock.now() + if chance.one_in(4) { 1 } else { 10 * MINUTE };
                match chance.below(6) {
                    0 | 1 => workers.begin(self.extract(deadline)),
                    2 | 3 => workers.begin(self.transform()),
                    4 => workers.begin(self.load(deadline)),
                    _ if chance.one_in(4) => workers.begin(self.sweep()),
                    _ => {}
                }
            }
            if !workers.turn(chance) {
                let now = self.cloud.clock.now();
                let queues = queues.iter().filter_map(|queue| queue.next_visible());
                let next = queues.chain(workers.next_wake()).filter(|&at| at > now).min();
                self.cloud.clock.advance(next.map_or(0, |at| at - now));
            }
            self.cloud.clock.advance(1);
        }
        Err(Error::new(ErrorKind::Refused, "the functions do not come to rest"))
    }

    /// What came too often is sent again, as somebody does who has found out why; what nobody can use says why.
    fn look_at_dead_letters(&self) -> Result<(), Error> {
        for queue in [&self.starts, &self.tasks, &self.loads] {
            if let Some(reason) = queue.dead().into_iter().find_map(|(_, reason)| reason) {
                return Err(Error::new(ErrorKind::Refused, reason));
            }
            queue.redrive();
        }
        Ok(())
    }

    /// Whether something waits for its load.
    fn is_left(&self) -> Result<bool, Error> {
        let table = name::table(self.cloud.deployed.pipeline.table());
        let pending = block_on(self.cloud.store.list(&name::pending(&table, ""), None, 1))?;
        let loads = block_on(self.cloud.store.list(prefix::LOADS.text, None, 9))?;
        // Its mark may be gone: a sweep marks it again.
        let waiting = block_on(held::waiting(self.cloud.store, &table))?;
        let is_pending = waiting.iter().any(|(unit, _)| {
            matches!(unit.state, UnitState::Pending) && held::is_of(&self.cloud.deployed.pipeline, unit)
        });
        Ok(!pending.is_empty() || is_pending || loads.iter().any(|name| name.ends_with("/current")))
    }

    fn chaotic<'p, P>(&'p self, inner: &'p P) -> Chaotic<'p, P> {
        Chaotic { inner, chaos: self.chaos, step: None }
    }

    async fn serve<Q: Queue>(&self, queue: &Q, handle: impl AsyncFn(&Message) -> Handled) {
        let Ok(messages) = queue.receive(2, MINUTE).await else { return };
        for message in &messages {
            // A message that could not be removed comes again.
            let _ = handle(message).await.settle(queue, message).await;
        }
    }

    async fn extract(&self, deadline: i64) {
        let Cloud { deployed, source, store, clock, .. } = self.cloud;
        let (source, store) = (self.chaotic(*source), self.chaotic(*store));
        let (starts, tasks, loads) = (self.chaotic(&self.starts), self.chaotic(&self.tasks), self.chaotic(&self.loads));
        let extract = Extract {
            deployed,
            source: &source,
            store: &store,
            tasks: &tasks,
            starts: &starts,
            loads: &loads,
            clock: *clock,
            witness: &Quiet,
            deadline,
            replans: false,
        };
        self.serve(&starts, async |message| extract.handle(message).await).await;
    }

    async fn transform(&self) {
        let Cloud { deployed, source, store, .. } = self.cloud;
        let (source, store) = (self.chaotic(*source), self.chaotic(*store));
        let (tasks, loads) = (self.chaotic(&self.tasks), self.chaotic(&self.loads));
        let transform =
            Transform { deployed, source: &source, store: &store, loads: &loads, witness: &Quiet, progress: &Quiet };
        self.serve(&tasks, async |message| transform.handle(message).await).await;
    }

    async fn load(&self, deadline: i64) {
        let loads = self.chaotic(&self.loads);
        self.serve(&loads, async |message| self.loader(deadline, Some(message)).await).await;
    }

    async fn sweep(&self) {
        // A sweep that fails is followed by another.
        let _ = self.loader(i64::MAX, None).await;
    }

    /// Handles a message, or sweeps.
    async fn loader(&self, deadline: i64, message: Option<&Message>) -> Handled {
        let Cloud { deployed, store, clock, .. } = self.cloud;
        let (store, warehouse, events) = (self.chaotic(*store), self.chaotic(self.warehouse), self.chaotic(&self.told));
        let limits = LoadLimits { units_max: 2, ..LoadLimits::default() };
        let loader = Loader {
            deployed,
            store: &store,
            warehouse: &warehouse,
            events: &events,
            clock: *clock,
            witness: &Quiet,
            limits,
            accepts_doubles: self.cloud.accepts_doubles,
            deadline,
        };
        match message {
            Some(message) => loader.handle(message).await,
            None => loader.sweep().await.map(drop).into(),
        }
    }
}
