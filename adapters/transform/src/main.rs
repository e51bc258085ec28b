//! The transform function: its input is messages with tasks; its output is parts, quarantine, receipts and a message to the
//! loader.

use std::process::ExitCode;

use etalon_aws::client::Clients;
use etalon_aws::function::{self, Call, Event};
use etalon_aws::objects::S3Objects;
use etalon_aws::queue::SqsQueue;
use etalon_aws::settings::Settings;
use etalon_core::deploy::setting;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::Step;
use etalon_driver::deployed::Deployed;
use etalon_driver::land::Input;
use etalon_driver::ports::Quiet;
use etalon_driver::transform::Transform;
use serde_json::Value;

/// What is read once.
struct World {
    deployed: Deployed,
    source: Input<S3Objects>,
    store: S3Objects,
    tasks: SqsQueue,
    loads: SqsQueue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run(Step::Transform, begin, call).await
}

async fn begin(settings: &Settings, clients: &Clients) -> Result<(String, World), Error> {
    let [tasks, dead, loads] = settings.need([&setting::TASKS_QUEUE, &setting::DEAD_QUEUE, &setting::LOADS_QUEUE])?;
    let deployed = settings.deployed(clients).await?;
    let store = settings.place(&setting::STAGING)?;
    let world = World {
        source: settings.input(&deployed.pipeline, clients).await?,
        store: S3Objects::at(clients, &store),
        tasks: SqsQueue::new(clients.sqs(), tasks).with_dead_letters(dead),
        loads: SqsQueue::new(clients.sqs(), loads),
        deployed,
    };
    Ok((world.deployed.pipeline.name().to_owned(), world))
}

async fn call(world: &World, call: &Call) -> Result<Value, Error> {
    let World { deployed, source, store, tasks, loads } = world;
    let Event::Messages(messages) = &call.event else {
        return Err(Error::new(ErrorKind::Refused, "only its queue calls transform"));
    };
    let transform = Transform { deployed, source, store, loads, witness: &call.telemetry, progress: &Quiet };
    call.each(messages, tasks, async |message| transform.handle(message).await).await
}
