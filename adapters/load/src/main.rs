//! The load function: its input is messages that say "look at this table", and a sweep every few minutes; its output is
//! committed loads.

use std::cell::RefCell;
use std::process::ExitCode;
use std::time::Duration;

use etalon_aws::client::Clients;
use etalon_aws::events::EventBridge;
use etalon_aws::function::{self, Call, Event};
use etalon_aws::objects::S3Objects;
use etalon_aws::queue::SqsQueue;
use etalon_aws::redshift::{self, Redshift};
use etalon_aws::settings::Settings;
use etalon_core::deploy::{DEFAULT_BUS, setting};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{LoadLimits, SWEEP_INPUT, Step};
use etalon_driver::deployed::Deployed;
use etalon_driver::load::Loader;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::Message;
use etalon_driver::store::Handled;
use serde_json::Value;

/// What is read once.
struct World {
    deployed: Deployed,
    store: S3Objects,
    loads: SqsQueue,
    warehouse: Redshift,
    events: EventBridge,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run(Step::Load, begin, call).await
}

async fn begin(settings: &Settings, clients: &Clients) -> Result<(String, World), Error> {
    let [loads, dead] = settings.need([&setting::LOADS_QUEUE, &setting::DEAD_QUEUE])?;
    let deployed = settings.deployed(clients).await?;
    let store = settings.place(&setting::STAGING)?;
    let bus = settings.get(&setting::EVENT_BUS).unwrap_or(DEFAULT_BUS);
    let world = World {
        warehouse: Redshift::new(
            clients.redshift_data(),
            S3Objects::at(clients, &store),
            redshift::Settings::of(settings)?,
        ),
        store: S3Objects::at(clients, &store),
        loads: SqsQueue::new(clients.sqs(), loads).with_dead_letters(dead),
        events: EventBridge::new(clients.events(), bus, "etalon"),
        deployed,
    };
    Ok((world.deployed.pipeline.name().to_owned(), world))
}

async fn call(world: &World, call: &Call) -> Result<Value, Error> {
    let World { deployed, store, loads, warehouse, events } = world;
    let left = Duration::from_micros(u64::try_from(call.deadline - call.now).unwrap_or_default());
    let loader = Loader {
        deployed,
        store,
        warehouse: &warehouse.within(left),
        events,
        clock: &SystemClock,
        witness: &call.telemetry,
        limits: LoadLimits {
            minutes_between: deployed.pipeline.load_every().unwrap_or_default(),
            ..LoadLimits::default()
        },
        accepts_doubles: false,
        deadline: call.deadline,
    };
    match &call.event {
        Event::Messages(messages) => {
            // All messages of a batch were there before the first look, which is therefore one for all.
            let looked = RefCell::new(None);
            let handle = async |message: &Message| {
                if let Err(error) = loader.is_own(message) {
                    return Err(error).into();
                }
                if looked.borrow().is_none() {
                    let came: Handled = loader.sweep().await.map(drop).into();
                    looked.replace(Some(came));
                }
                looked.borrow().clone().unwrap_or(Handled::Done)
            };
            call.each(messages, loads, handle).await
        }
        Event::Direct(event) if SWEEP_INPUT.parse().is_ok_and(|sweep: Value| sweep == *event) => {
            call.direct(loader.sweep().await.map(drop).into())
        }
        Event::Direct(_) => {
            Err(Error::new(ErrorKind::Refused, format!("load is called by its queue, or with `{SWEEP_INPUT}`")))
        }
    }
}
