//! World: the state that requests and running statements share.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::hash::RandomState;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::behaviour::Behaviours;
use super::clock::Clock;
use super::clock::micros;
use super::config::Config;
use super::refusal::Refusal;
use super::statements::Statement;
use super::statements::Statements;
use super::throttle::Throttle;

/// How long somebody sleeps at most before looking again, whoever wakes him.
const LOOK: Duration = Duration::from_millis(200);

/// What requests and running statements share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) rows_copied: AtomicU64,
    state: Mutex<State>,
    /// Tells threads that something has changed.
    changed: Condvar,
    /// Tells tasks that something has changed.
    version: watch::Sender<u64>,
    queries: AtomicI64,
    random: RandomState,
    ids: AtomicU64,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) statements: Statements,
    pub(super) behaviours: Behaviours,
    pub(super) throttle: Throttle,
    pub(super) requests: BTreeMap<String, u64>,
    /// Statements that have a connection.
    pub(super) connections: usize,
    /// Whether the service ends.
    pub(super) is_closing: bool,
}

/// That a statement was cancelled while it waited.
#[derive(Debug)]
pub(super) struct Cancelled;

impl World {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            clock: Clock::default(),
            rows_copied: AtomicU64::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
            version: watch::Sender::new(0),
            // Numbers of queries are never small on a warehouse that is used.
            queries: AtomicI64::new(1000),
            random: RandomState::new(),
            ids: AtomicU64::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who waits to look again.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
        self.version.send_modify(|version| *version += 1);
    }

    /// The number of the next query.
    pub(super) fn query(&self) -> i64 {
        self.queries.fetch_add(1, Ordering::SeqCst)
    }

    /// A new id, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    pub(super) fn id(&self) -> String {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        let half = |half: u64| {
            let mut hasher = self.random.build_hasher();
            hasher.write_u64(number);
            hasher.write_u64(half);
            format!("{:016x}", hasher.finish())
        };
        let digits = half(0) + &half(1);
        let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
        [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
    }

    /// Changes a statement and tells everybody.
    pub(super) fn update<T>(&self, id: &str, change: impl FnOnce(&mut Statement, i64) -> T) -> Option<T> {
        let now = self.clock.now();
        let changed = self.state().statements.get_mut(id).map(|statement| change(statement, now));
        self.tell();
        changed
    }

    pub(super) fn is_cancelled(&self, id: &str) -> bool {
        is_cancelled(&self.state(), id)
    }

    /// Waits for a span of the sandbox's time.
    pub(super) fn sleep(&self, id: &str, span: Duration) -> Result<(), Cancelled> {
        let until = self.clock.now().saturating_add(micros(span));
        self.wait(id, |_| self.clock.now() >= until, until)
    }

    /// Waits for a connection to be free, and takes it.
    pub(super) fn take_connection(&self, id: &str) -> Result<(), Cancelled> {
        let most = self.config.connections.max(1);
        let take = |state: &mut State| {
            let is_free = state.connections < most;
            state.connections += usize::from(is_free);
            is_free
        };
        self.wait(id, take, i64::MAX)
    }

    pub(super) fn give_connection(&self) {
        self.state().connections -= 1;
        self.tell();
    }

    fn wait(&self, id: &str, mut is_over: impl FnMut(&mut State) -> bool, until: i64) -> Result<(), Cancelled> {
        let mut state = self.state();
        loop {
            if is_cancelled(&state, id) {
                return Err(Cancelled);
            }
            if is_over(&mut state) {
                return Ok(());
            }
            let left = u64::try_from(until.saturating_sub(self.clock.now())).unwrap_or_default();
            let span = Duration::from_micros(left.max(100)).min(LOOK);
            state = self
                .changed
                .wait_timeout(state, span)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
    }

    /// Waits so many seconds for a statement to end. Gives what `look` sees of it then.
    pub(super) async fn look<T>(&self, id: &str, seconds: u64, look: impl Fn(&Statement) -> T) -> Result<T, Refusal> {
        let until = tokio::time::Instant::now() + Duration::from_secs(seconds);
        let mut version = self.version.subscribe();
        loop {
            version.mark_unchanged();
            let (seen, has_ended) = {
                let state = self.state();
                let statement = state.statements.get(id).ok_or_else(|| unknown(id))?;
                (look(statement), statement.status.has_ended())
            };
            if has_ended || seconds == 0 {
                return Ok(seen);
            }
            tokio::select! {
                _ = version.changed() => {}
                () = tokio::time::sleep_until(until) => return Ok(seen),
            }
        }
    }
}

fn is_cancelled(state: &State, id: &str) -> bool {
    state.is_closing || state.statements.get(id).is_none_or(|statement| statement.is_cancelled)
}

/// That there is no such statement.
pub(super) fn unknown(id: &str) -> Refusal {
    Refusal::not_found("Query does not exist.", id)
}
