//! Events to a bus of EventBridge.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{LoadEvent, print};
use etalon_driver::ports::Events;

use crate::failure::failed;

/// A bus, and who says something there.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
    bus: String,
    source: String,
}

impl EventBridge {
    /// Events from `source` to the bus of a name or an ARN.
    pub fn new(client: Client, bus: impl Into<String>, source: impl Into<String>) -> Self {
        Self { client, bus: bus.into(), source: source.into() }
    }
}

impl Events for EventBridge {
    async fn loaded(&self, event: &LoadEvent) -> Result<(), Error> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(&self.source)
            .detail_type(LoadEvent::NAME)
            .detail(print(event));
        let answer = self.client.put_events().entries(entry.build()).send().await;
        let answer = answer.map_err(|error| failed(format_args!("{}: PutEvents", self.bus), &error))?;
        match answer.entries.unwrap_or_default().into_iter().find(|entry| entry.error_code.is_some()) {
            None if answer.failed_entry_count == 0 => Ok(()),
            refused => {
                let (code, message) = refused.map(|entry| (entry.error_code, entry.error_message)).unwrap_or_default();
                let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
                // What a bus does not take for its own reasons it may take later; the load is settled again then.
                Err(Error::new(ErrorKind::Unavailable, format!("{}: PutEvents: {code}: {message}", self.bus)))
            }
        }
    }
}
