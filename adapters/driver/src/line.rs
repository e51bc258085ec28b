//! Line: a queue within one process. Its messages are lost with the process; the next run finds the work again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etalon_core::error::Error;

use crate::ports::{Entry, Message, Queue};

/// Messages in the order in which they were sent; each is given once.
#[derive(Debug, Default)]
pub(crate) struct Line {
    bodies: Mutex<VecDeque<String>>,
}

impl Line {
    fn bodies(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message, if there is one.
    pub(crate) fn next(&self) -> Option<Message> {
        let body = self.bodies().pop_front()?;
        Some(Message { handle: String::new(), body, received: 1, reason: None })
    }

    /// How many messages wait.
    pub(crate) fn len(&self) -> usize {
        self.bodies().len()
    }

    /// Forgets what waits.
    pub(crate) fn clear(&self) {
        self.bodies().clear();
    }
}

impl Queue for Line {
    async fn send(&self, entries: &[Entry]) -> Result<Vec<(usize, Error)>, Error> {
        self.bodies().extend(entries.iter().map(|entry| entry.body.clone()));
        Ok(Vec::new())
    }

    async fn receive(&self, most: usize, _visibility: i64) -> Result<Vec<Message>, Error> {
        Ok((0..most).map_while(|_| self.next()).collect())
    }

    async fn delete(&self, _message: &Message) -> Result<(), Error> {
        Ok(())
    }

    async fn change_visibility(&self, message: &Message, _visibility: i64) -> Result<(), Error> {
        self.bodies().push_back(message.body.clone());
        Ok(())
    }

    /// Whoever works through a line ends with the error that would bury a message.
    async fn bury(&self, _message: &Message, _reason: &str) -> Result<(), Error> {
        Ok(())
    }
}
