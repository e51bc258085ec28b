//! The extract function: its input is schedules, events and start messages; its output is windows of a database or an API,
//! plans and messages with tasks.

mod origin;

use std::process::ExitCode;

use etalon_aws::client::Clients;
use etalon_aws::function::{self, Call, Event};
use etalon_aws::objects::S3Objects;
use etalon_aws::queue::SqsQueue;
use etalon_aws::settings::Settings;
use etalon_core::deploy::setting;
use etalon_core::error::Error;
use etalon_core::protocol::{Start, Step, Trigger, Work, triggers};
use etalon_core::source::s3::Address;
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::land::{Input, Land, LandReport};
use etalon_driver::local::SystemClock;
use etalon_driver::store::{Handled, is_first_place};
use origin::Origin;
use serde_json::Value;

/// What is read once.
struct World {
    deployed: Deployed,
    /// Where objects lie that may be told to have come, if they do not land.
    place: Option<Address>,
    source: Input<S3Objects>,
    /// What is asked for what lands, if anything is.
    origin: Option<Origin>,
    store: S3Objects,
    starts: SqsQueue,
    tasks: SqsQueue,
    loads: SqsQueue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run(Step::Extract, begin, call).await
}

async fn begin(settings: &Settings, clients: &Clients) -> Result<(String, World), Error> {
    let [starts, dead, tasks, loads] =
        settings.need([&setting::STARTS_QUEUE, &setting::DEAD_QUEUE, &setting::TASKS_QUEUE, &setting::LOADS_QUEUE])?;
    let mut deployed = settings.deployed(clients).await?;
    let store = S3Objects::at(clients, &settings.place(&setting::STAGING)?);
    let (place, source, origin) = match deployed.pipeline.location().lands() {
        true => {
            let origin = Origin::of(&deployed.pipeline, settings, clients).await?;
            (None, settings.input(&deployed.pipeline, clients).await?, Some(origin))
        }
        false => {
            let place = settings.source(&deployed.pipeline, clients).await?;
            let mut source = S3Objects::at(clients, &place);
            // Objects of one key in two buckets are two.
            if !is_first_place(&store, deployed.pipeline.name(), &source.bucket_place()).await? {
                source = source.named_with_bucket();
                deployed.inputs = deployed.inputs.at(source.place());
            }
            (Some(place), Input::Stored(source), None)
        }
    };
    let queue = |url| SqsQueue::new(clients.sqs(), url);
    let world = World {
        place,
        source,
        origin,
        store,
        starts: queue(starts).with_dead_letters(dead),
        tasks: queue(tasks),
        loads: queue(loads),
        deployed,
    };
    Ok((world.deployed.pipeline.name().to_owned(), world))
}

async fn call(world: &World, call: &Call) -> Result<Value, Error> {
    match &call.event {
        Event::Messages(messages) => {
            call.each(messages, &world.starts, async |message| world.handle(&message.body, call).await).await
        }
        Event::Direct(event) => call.direct(world.handle(&event.to_string(), call).await),
    }
}

impl World {
    /// Does what a caller asks for; what it says of another place is not ours.
    async fn handle(&self, text: &str, call: &Call) -> Handled {
        let extract = Extract {
            deployed: &self.deployed,
            source: &self.source,
            store: &self.store,
            tasks: &self.tasks,
            starts: &self.starts,
            loads: &self.loads,
            clock: &SystemClock,
            witness: &call.telemetry,
            deadline: call.deadline,
            replans: false,
        };
        let work = async {
            for trigger in triggers(text, self.deployed.pipeline.name(), call.now)? {
                match self.within(trigger) {
                    Ok(start) => match &self.origin {
                        Some(origin) => extract.land_and_start(&start, async || self.land(origin, call).await).await?,
                        None => extract.start(&start).await?,
                    },
                    Err(elsewhere) => {
                        let source = self.place.as_ref().map(|place| format!("s3://{}/{}", place.bucket, place.prefix));
                        call.telemetry.dropped(&elsewhere, &source.unwrap_or_default());
                    }
                }
            }
            Ok(())
        };
        Handled::from(work.await)
    }

    /// Lands what is new of the source, in the time that there is.
    async fn land(&self, origin: &Origin, call: &Call) -> Result<LandReport, Error> {
        let land = Land {
            pipeline: &self.deployed.pipeline,
            store: &self.store,
            clock: &SystemClock,
            deadline: call.deadline,
            piece_bytes: None,
            rows_max: None,
        };
        origin.land(&land, call.end).await
    }

    /// What is to be done. An object that arrived is named by its key, and has the name that follows the source's prefix; one of
    /// another place is none of the pipeline's.
    fn within(&self, Trigger { start, bucket }: Trigger) -> Result<Start, String> {
        let (Some(bucket), Work::Object(key)) = (bucket, &start.work) else { return Ok(start) };
        let elsewhere = || format!("s3://{bucket}/{key}");
        let (Some(place), Input::Stored(source)) = (&self.place, &self.source) else { return Err(elsewhere()) };
        let name = key.strip_prefix(&place.prefix).map(|name| format!("{}{name}", source.place()));
        match name {
            Some(name) if bucket == place.bucket && self.deployed.inputs.include(&name) => {
                Ok(Start { work: Work::Object(name), ..start })
            }
            _ => Err(elsewhere()),
        }
    }
}
