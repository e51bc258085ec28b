//! Letters: the dead letters of a queue. An operator looks at them, and sends them again when their cause is fixed.

use std::collections::BTreeSet;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::sha256;
use etalon_core::protocol::{LoadMessage, Step, name, parse};
use serde::Serialize;

use crate::ports::{Entry, MESSAGES_MAX, Message, Order, Queue};
use crate::store::send;

/// How long a letter is out of sight while it is looked at, in microseconds.
const LOOK: i64 = 60_000_000;
/// How many digits of its digest identify a letter.
const ID_DIGITS: usize = 8;

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its id: the same for the same body to the same function.
    pub id: String,
    /// The function that could not process it.
    pub function: &'static str,
    /// The reason, if it has one.
    pub reason: Option<String>,
    /// Its body.
    pub body: String,
    #[serde(skip)]
    message: Message,
}

/// How many messages a function has before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Messages {
    /// The function.
    pub function: &'static str,
    /// Those that wait.
    pub waiting: u64,
    /// Those that were received, and are not done.
    pub received: u64,
    /// Its dead letters.
    pub dead: u64,
}

/// The queue of a function, and that of its dead letters.
#[derive(Debug)]
pub struct Mailbox<'a, Q> {
    /// The function.
    pub step: Step,
    /// Its queue.
    pub queue: &'a Q,
    /// The dead letters.
    pub dead: &'a Q,
}

impl<Q: Queue> Mailbox<'_, Q> {
    /// The dead letters. They stay in the queue, and others see them again at once.
    pub async fn look(&self) -> Result<Vec<Letter>, Error> {
        let letters = self.take().await?;
        self.give_back(&letters).await?;
        Ok(letters)
    }

    /// The dead letters, which are then invisible to others for a while.
    pub async fn take(&self) -> Result<Vec<Letter>, Error> {
        let mut letters: Vec<Letter> = Vec::new();
        loop {
            let messages = self.dead.receive(MESSAGES_MAX, LOOK).await?;
            if messages.is_empty() {
                return Ok(letters);
            }
            letters.extend(messages.into_iter().map(|message| self.letter(message)));
        }
    }

    /// Lets others see letters again.
    pub async fn give_back(&self, letters: &[Letter]) -> Result<(), Error> {
        for letter in letters {
            self.dead.change_visibility(&letter.message, 0).await?;
        }
        Ok(())
    }

    /// Sends a letter to its function again, with another body if one is given, and removes it from the dead letters.
    pub async fn send_again(&self, letter: &Letter, body: Option<&str>, now: i64) -> Result<(), Error> {
        let body = body.unwrap_or(&letter.body).to_owned();
        let order = (self.step == Step::Load).then(|| Order {
            // What names no table waits for nobody.
            group: parse::<LoadMessage>(body.as_bytes())
                .map_or_else(|_| "letters".to_owned(), |load| name::group(&load.table)),
            deduplication: sha256(format!("{} {now}", letter.message.handle).as_bytes()),
        });
        send(self.queue, vec![Entry { body, order }]).await?;
        self.dead.delete(&letter.message).await
    }

    fn letter(&self, message: Message) -> Letter {
        let function = self.step.name();
        let mut id = sha256(format!("{function} {}", message.body).as_bytes());
        id.truncate(ID_DIGITS);
        Letter { id, function, reason: message.reason.clone(), body: message.body.clone(), message }
    }
}

/// Selects letters.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Letters of these ids; all, if there are none.
    pub ids: Vec<String>,
    /// Letters of this function.
    pub function: Option<Step>,
    /// Letters whose reason contains this text.
    pub reason: Option<String>,
}

impl Wanted {
    /// Whether a letter is selected.
    pub fn has(&self, letter: &Letter) -> bool {
        let is_it = |id: &String| letter.id.starts_with(id.as_str());
        (self.ids.is_empty() || self.ids.iter().any(is_it))
            && self.function.is_none_or(|step| letter.function == step.name())
            && self
                .reason
                .as_ref()
                .is_none_or(|text| letter.reason.as_ref().is_some_and(|reason| reason.contains(text)))
    }

    /// Refuses an id that no letter has.
    pub fn must_be_of(&self, letters: &[Letter]) -> Result<(), Error> {
        let missing = self.ids.iter().find(|id| !letters.iter().any(|letter| letter.id.starts_with(id.as_str())));
        let Some(missing) = missing else { return Ok(()) };
        let there: BTreeSet<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
        let there = match there.into_iter().collect::<Vec<_>>().join(", ") {
            there if there.is_empty() => "there is no dead letter".to_owned(),
            there => format!("there are: {there}"),
        };
        Err(Error::new(ErrorKind::Refused, format!("{missing} is no dead letter; {there}")))
    }
}
