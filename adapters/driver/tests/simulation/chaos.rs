//! Chaos: a world that is driven by one number. Every call of a port is a point at which the caller may be killed before or
//! after its effect, lose its answer, be refused, or be stopped for longer than its message stays invisible.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use etalon_core::protocol::prefix::{Prefix, Right};
use etalon_core::protocol::{LoadEvent, Step};
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, PipelineLoads, Presence, Table};
use etalon_driver::memory::ManualClock;
use etalon_driver::ports::{
    Clock, DataWarehouse, Entry, Events, LoadOrder, Message, Objects, Put, Queue, StatementState,
};

/// Chance from a number (splitmix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// Why a worker gave way. Of several calls that it makes side by side the last in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Others may go first.
    Yields,
    /// It is stopped for so long.
    Sleeps(i64),
    /// It was killed.
    Dies,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    /// In thousandths, at each call.
    faults: u64,
    injected: BTreeMap<&'static str, u64>,
    signal: Option<Signal>,
    used: BTreeSet<Use>,
}

/// What a step does with the names of a prefix; a name without a prefix stands for itself.
pub type Use = (Step, String, Right);

/// What happens to workers.
#[derive(Debug)]
pub struct Chaos {
    state: Mutex<State>,
}

impl Chaos {
    pub fn new(seed: u64, faults: u64) -> Self {
        let state =
            State { chance: Chance::new(seed), faults, injected: BTreeMap::new(), signal: None, used: BTreeSet::new() };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// No more faults.
    pub fn calm(&self) {
        self.state().faults = 0;
    }

    pub fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.state().injected.clone()
    }

    /// What the steps have done in the store.
    pub fn used(&self) -> BTreeSet<Use> {
        self.state().used.clone()
    }

    pub fn count(&self, what: &'static str) {
        *self.state().injected.entry(what).or_default() += 1;
    }

    pub fn signal(&self) -> Option<Signal> {
        self.state().signal.take()
    }

    fn give(&self, signal: Signal) {
        let state = &mut *self.state();
        state.signal = state.signal.max(Some(signal));
    }

    async fn give_way(&self, signal: Signal) {
        self.give(signal);
        let mut given = false;
        std::future::poll_fn(|context| {
            // Who drives several calls side by side asks those again that have said so.
            context.waker().wake_by_ref();
            if std::mem::replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    async fn die<T>(&self, what: &'static str) -> T {
        self.count(what);
        self.give(Signal::Dies);
        std::future::pending().await
    }

    async fn stop_for_a_while(&self) {
        let long = {
            let state = &mut *self.state();
            *state.injected.entry("stopped past visibility").or_default() += 1;
            i64::try_from(state.chance.below(100)).unwrap() * 1_000_000
        };
        self.give_way(Signal::Sleeps(long)).await;
    }

    /// A call of a port, and what may happen around it.
    async fn call<T>(&self, effect: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.give_way(Signal::Yields).await;
        let fault = {
            let state = &mut *self.state();
            if state.chance.below(1000) < state.faults { state.chance.below(6) } else { 99 }
        };
        let lost = |what| {
            self.count(what);
            Err(Error::new(ErrorKind::Unavailable, "no answer"))
        };
        match fault {
            0 => self.die("killed before a call").await,
            1 => {
                // What the call says is never heard.
                let _ = effect.await;
                self.die("killed after a call").await
            }
            2 => lost("request lost"),
            3 => {
                let _ = effect.await;
                lost("answer lost")
            }
            4 => {
                self.stop_for_a_while().await;
                effect.await
            }
            5 => {
                let answer = effect.await;
                self.stop_for_a_while().await;
                answer
            }
            _ => effect.await,
        }
    }
}

/// A port in this world.
#[derive(Debug)]
pub struct Chaotic<'a, P> {
    pub inner: &'a P,
    pub chaos: &'a Chaos,
    /// Whose store it is, if it is a step's: what is done there is written down.
    pub step: Option<Step>,
}

impl<P> Chaotic<'_, P> {
    fn uses(&self, right: Right, name: &str) {
        if let Some(step) = self.step {
            let below = Prefix::of(name).map_or(name, |prefix| prefix.text);
            self.chaos.state().used.insert((step, below.to_owned(), right));
        }
    }
}

impl<P> Clone for Chaotic<'_, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner, chaos: self.chaos, step: self.step }
    }
}

impl<P: Objects> Objects for Chaotic<'_, P> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.uses(Right::Read, name);
        self.chaos.call(self.inner.head(name)).await
    }
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.uses(Right::Read, &object.name);
        self.chaos.call(self.inner.read(object, range)).await
    }
    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.uses(Right::Read, name);
        self.chaos.call(self.inner.fetch(name)).await
    }
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.uses(Right::Write, name);
        self.chaos.call(self.inner.put(name, bytes, condition)).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.uses(Right::List, prefix);
        self.chaos.call(self.inner.list(prefix, after, most)).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.uses(Right::Delete, name);
        self.chaos.call(self.inner.delete(name)).await
    }
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.uses(Right::Delete, name);
        self.chaos.call(self.inner.delete_version(name, version)).await
    }
    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.uses(Right::List, prefix);
        self.chaos.call(self.inner.objects(prefix, after, most)).await
    }
}

impl<P: Queue> Queue for Chaotic<'_, P> {
    /// Some messages of a batch may not be taken.
    async fn send(&self, entries: &[Entry]) -> Result<Vec<(usize, Error)>, Error> {
        let mut kept = Vec::new();
        let mut failed = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            let fails = {
                let state = &mut *self.chaos.state();
                state.faults > 0 && state.chance.one_in(50)
            };
            if fails {
                self.chaos.count("entry of a batch refused");
                failed.push((position, Error::new(ErrorKind::Unavailable, "slow down")));
            } else {
                kept.push(entry.clone());
            }
        }
        if !kept.is_empty() {
            self.chaos.call(self.inner.send(&kept)).await?;
        }
        Ok(failed)
    }
    async fn receive(&self, most: usize, visibility: i64) -> Result<Vec<Message>, Error> {
        self.chaos.call(self.inner.receive(most, visibility)).await
    }
    async fn delete(&self, message: &Message) -> Result<(), Error> {
        self.chaos.call(self.inner.delete(message)).await
    }
    async fn change_visibility(&self, message: &Message, visibility: i64) -> Result<(), Error> {
        self.chaos.call(self.inner.change_visibility(message, visibility)).await
    }
    async fn bury(&self, message: &Message, reason: &str) -> Result<(), Error> {
        self.chaos.call(self.inner.bury(message, reason)).await
    }
}

impl<P: DataWarehouse> DataWarehouse for Chaotic<'_, P> {
    async fn submit(&self, order: &LoadOrder, token: &str) -> Result<String, Error> {
        self.chaos.call(self.inner.submit(order, token)).await
    }
    async fn status(&self, statement: &str) -> Result<StatementState, Error> {
        self.chaos.call(self.inner.status(statement)).await
    }
    async fn ledger(&self, table: &Table, inputs: &[String]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        self.chaos.call(self.inner.ledger(table, inputs)).await
    }
    async fn akin(&self, table: &Table, batches: &[LoadBatch]) -> Result<Vec<LedgerRow>, Error> {
        self.chaos.call(self.inner.akin(table, batches)).await
    }
    async fn pipelines(&self, table: &Table, own: &str) -> Result<Vec<PipelineLoads>, Error> {
        self.chaos.call(self.inner.pipelines(table, own)).await
    }
    async fn presence(&self, table: &Table) -> Result<Presence, Error> {
        self.chaos.call(self.inner.presence(table)).await
    }
    async fn brought(&self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        self.chaos.call(self.inner.brought(table, batches)).await
    }
}

impl<P: Events> Events for Chaotic<'_, P> {
    async fn loaded(&self, event: &LoadEvent) -> Result<(), Error> {
        self.chaos.call(self.inner.loaded(event)).await
    }
}

/// Events that were told.
#[derive(Debug, Default)]
pub struct Told(pub Mutex<Vec<LoadEvent>>);

impl Events for Told {
    async fn loaded(&self, event: &LoadEvent) -> Result<(), Error> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Workers that take turns, as chance has it.
pub struct Workers<'a> {
    chaos: &'a Chaos,
    clock: &'a ManualClock,
    working: Vec<(Work<'a>, i64)>,
}

impl<'a> Workers<'a> {
    pub fn new(chaos: &'a Chaos, clock: &'a ManualClock) -> Self {
        Self { chaos, clock, working: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.working.len()
    }

    pub fn begin(&mut self, work: impl Future<Output = ()> + 'a) {
        self.working.push((Box::pin(work), i64::MIN));
    }

    /// When the next stopped worker goes on, if all are stopped.
    pub fn next_wake(&self) -> Option<i64> {
        self.working.iter().map(|(_, wake)| *wake).min()
    }

    /// Lets one worker go on to its next call; false if there is none that can.
    pub fn turn(&mut self, chance: &mut Chance) -> bool {
        let now = self.clock.now();
        let ready: Vec<usize> = (0..self.working.len()).filter(|&at| self.working[at].1 <= now).collect();
        if ready.is_empty() {
            return false;
        }
        let at = *chance.pick(&ready);
        let (work, wake) = &mut self.working[at];
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let signal = self.chaos.signal();
        match (polled, signal) {
            (Poll::Ready(()), _) | (Poll::Pending, Some(Signal::Dies)) => drop(self.working.swap_remove(at)),
            (Poll::Pending, Some(Signal::Sleeps(long))) => *wake = now + long,
            (Poll::Pending, Some(Signal::Yields)) => {}
            (Poll::Pending, None) => panic!("a worker waits for nothing"),
        }
        true
    }
}
