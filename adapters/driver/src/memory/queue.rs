//! Queues in memory that behave like real ones: a standard queue delivers messages in any order and some of them twice, a FIFO
//! queue keeps the order of a group and delivers its messages one at a time.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};

use super::locked;
use crate::ports::{Clock, Entry, MESSAGES_MAX, Message, Order, Queue};

/// For so long a FIFO queue remembers deduplication ids.
const DEDUPLICATION: i64 = 5 * 60 * 1_000_000;

/// What a queue promises about order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None; and a message may come twice. The number begins the chance by which both happen.
    Standard(u64),
    /// That of [`Order`].
    Fifo,
}

/// A queue in memory, and its dead letters.
#[derive(Debug)]
pub struct MemoryQueue<C> {
    kind: Kind,
    clock: C,
    receives_max: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order of sending.
    waiting: Vec<Waiting>,
    dead: Vec<Waiting>,
    seen: BTreeMap<String, i64>,
    sent: u64,
    chance: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    number: u64,
    body: String,
    order: Option<Order>,
    received: u32,
    invisible_until: i64,
    reason: Option<String>,
}

impl State {
    fn add(&mut self, body: String, order: Option<Order>) {
        self.sent += 1;
        let number = self.sent;
        self.waiting.push(Waiting { number, body, order, received: 0, invisible_until: i64::MIN, reason: None });
    }

    /// A number below `bound` (xorshift).
    fn below(&mut self, bound: usize) -> usize {
        for shift in [13, -7, 17_i32] {
            let moved = if shift > 0 { self.chance << shift } else { self.chance >> -shift };
            self.chance ^= moved;
        }
        usize::try_from(self.chance >> 33).unwrap_or_default() % bound.max(1)
    }
}

impl<C: Clock> MemoryQueue<C> {
    /// A queue that gives up on a message that was received so often.
    pub fn new(kind: Kind, clock: C, receives_max: u32) -> Self {
        let chance = if let Kind::Standard(seed) = kind { seed | 1 } else { 1 };
        Self { kind, clock, receives_max, state: Mutex::new(State { chance, ..State::default() }) }
    }

    /// How many messages there are, dead letters aside: those that can be received, and those in flight.
    pub fn len(&self) -> usize {
        locked(&self.state).waiting.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the next message can be received that cannot be now, if there is one.
    pub fn next_visible(&self) -> Option<i64> {
        let now = self.clock.now();
        locked(&self.state).waiting.iter().map(|message| message.invisible_until).filter(|&at| at > now).min()
    }

    /// The dead letters: what they say, and why they are there.
    pub fn dead(&self) -> Vec<(String, Option<String>)> {
        locked(&self.state).dead.iter().map(|message| (message.body.clone(), message.reason.clone())).collect()
    }

    /// Puts the dead letters back, as an operator does when their cause is mended.
    pub fn redrive(&self) -> usize {
        let mut state = locked(&self.state);
        let dead = std::mem::take(&mut state.dead);
        let count = dead.len();
        dead.into_iter().for_each(|message| state.add(message.body, message.order));
        count
    }

    /// Removes the dead letters for good, as an operator does with what nobody can use.
    pub fn purge_dead(&self) {
        locked(&self.state).dead.clear();
    }

    /// Sends a message once more, as a standard queue may do by itself.
    pub fn double(&self, body: &str) {
        if matches!(self.kind, Kind::Standard(_)) {
            locked(&self.state).add(body.to_owned(), None);
        }
    }
}

/// A handle is a message's number and which of its deliveries it is.
fn numbers(message: &Message) -> Option<(u64, u32)> {
    let (number, received) = message.handle.split_once('-')?;
    Some((number.parse().ok()?, received.parse().ok()?))
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Refused, why)
}

impl<C: Clock> Queue for MemoryQueue<C> {
    async fn send(&self, entries: &[Entry]) -> Result<Vec<(usize, Error)>, Error> {
        if entries.is_empty() || entries.len() > MESSAGES_MAX {
            return Err(refused("a batch has 1 to 10 messages"));
        }
        let now = self.clock.now();
        let mut state = locked(&self.state);
        state.seen.retain(|_, &mut at| at > now - DEDUPLICATION);
        let mut failed = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            match (self.kind, &entry.order) {
                _ if entry.body.is_empty() => failed.push((position, refused("a message says something"))),
                (Kind::Fifo, None) => failed.push((position, refused("a message of a FIFO queue has a group"))),
                (Kind::Standard(_), Some(_)) => {
                    failed.push((position, refused("a message of a standard queue has no deduplication id")));
                }
                (Kind::Fifo, Some(order)) if state.seen.contains_key(&order.deduplication) => {}
                (_, order) => {
                    if let Some(order) = order {
                        state.seen.insert(order.deduplication.clone(), now);
                    }
                    state.add(entry.body.clone(), entry.order.clone());
                }
            }
        }
        Ok(failed)
    }

    async fn receive(&self, most: usize, visibility: i64) -> Result<Vec<Message>, Error> {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        // What came often enough is given up when it would come again.
        let receives_max = self.receives_max;
        let is_worn = |message: &Waiting| message.invisible_until <= now && message.received >= receives_max;
        let (worn, waiting) = std::mem::take(&mut state.waiting).into_iter().partition(is_worn);
        state.waiting = waiting;
        let worn: Vec<Waiting> = worn;
        state.dead.extend(worn);

        let mut given = Vec::new();
        let mut blocked: BTreeSet<String> = BTreeSet::new();
        for message in state.waiting.iter().filter(|message| message.invisible_until > now) {
            blocked.extend(message.order.as_ref().map(|order| order.group.clone()));
        }
        while given.len() < most.min(MESSAGES_MAX) {
            let ready: Vec<usize> = (0..state.waiting.len())
                .filter(|&at| {
                    state.waiting.get(at).is_some_and(|message| {
                        let group = message.order.as_ref().map(|order| &order.group);
                        message.invisible_until <= now && group.is_none_or(|group| !blocked.contains(group))
                    })
                })
                .collect();
            let pick = if self.kind == Kind::Fifo { 0 } else { state.below(ready.len()) };
            let Some(&at) = ready.get(pick) else { break };
            // Once in a while a standard queue forgets that it has given a message.
            let is_doubled = self.kind != Kind::Fifo && state.below(16) == 0;
            let Some(message) = state.waiting.get_mut(at) else { break };
            message.received += 1;
            // A message that was given is not given twice by one call, so even a visibility of 0 lasts for an instant.
            message.invisible_until = now + visibility.max(1);
            let handle = format!("{}-{}", message.number, message.received);
            let (body, received, reason) = (message.body.clone(), message.received, message.reason.clone());
            blocked.extend(message.order.as_ref().map(|order| order.group.clone()));
            if is_doubled {
                state.add(body.clone(), None);
            }
            given.push(Message { handle, body, received, reason });
        }
        Ok(given)
    }

    async fn delete(&self, message: &Message) -> Result<(), Error> {
        let Some((number, received)) = numbers(message) else { return Err(refused("no such handle")) };
        // Somebody else has it now: their handle counts.
        locked(&self.state).waiting.retain(|waiting| waiting.number != number || waiting.received != received);
        Ok(())
    }

    async fn change_visibility(&self, message: &Message, visibility: i64) -> Result<(), Error> {
        let now = self.clock.now();
        let numbers = numbers(message);
        let mut state = locked(&self.state);
        let found = state.waiting.iter_mut().find(|waiting| Some((waiting.number, waiting.received)) == numbers);
        match found {
            Some(waiting) if waiting.invisible_until > now => {
                waiting.invisible_until = now + visibility;
                Ok(())
            }
            _ => Err(refused("the message is not in flight")),
        }
    }

    async fn bury(&self, message: &Message, reason: &str) -> Result<(), Error> {
        let numbers = numbers(message);
        let mut state = locked(&self.state);
        let found = state.waiting.iter().find(|waiting| Some(waiting.number) == numbers.map(|(number, _)| number));
        let order = found.and_then(|waiting| waiting.order.clone());
        state.sent += 1;
        let dead = Waiting {
            number: state.sent,
            body: message.body.clone(),
            order,
            received: 0,
            invisible_until: i64::MIN,
            reason: Some(reason.to_owned()),
        };
        state.dead.push(dead);
        state.waiting.retain(|waiting| Some((waiting.number, waiting.received)) != numbers);
        Ok(())
    }
}
