//! Operator: operates a deployed pipeline from another machine. It does what extract does when it is called, over the same
//! objects and queues, with the settings from the deployment's directory. The functions do the rest.

mod examine;

use std::sync::Arc;

use etalon_core::deploy::Directory;
use etalon_core::deploy::setting::{self, Setting};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::identity;
use etalon_core::protocol::{Start, Step, Work, parse};
use etalon_core::source::s3::Address;
use etalon_driver::begun::Begun;
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::land::Input;
use etalon_driver::letters::{Letter, Mailbox, Messages, Wanted};
use etalon_driver::local::SystemClock;
use etalon_driver::ports::{Clock, Objects};
use etalon_driver::status::InWarehouse;
use etalon_driver::store::names;

use crate::client::Clients;
use crate::objects::S3Objects;
use crate::queue::SqsQueue;
use crate::redshift::{self, Redshift};
use crate::settings::Settings;

/// A deployed pipeline.
#[derive(Debug)]
pub struct Operator {
    clients: Clients,
    directory: Directory,
    place: Address,
    deployed: Deployed,
    source: Input<S3Objects>,
    store: Arc<S3Objects>,
    /// The queue of each step, and that of its dead letters.
    queues: [(Step, SqsQueue, SqsQueue); 3],
    warehouse: Redshift,
}

impl Operator {
    /// The pipeline of a name that is deployed with a store: `s3://bucket/prefix/`.
    pub async fn find(place: &str, pipeline: &str) -> Result<Self, Error> {
        let clients = Clients::from_env().await;
        let mut place = Address::parse(place)?;
        if !place.prefix.is_empty() && !place.prefix.ends_with('/') {
            place.prefix.push('/');
        }
        let store = S3Objects::at(&clients, &place);
        let directory: Directory = match store.get(&Directory::name_of(pipeline)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_here(&store, pipeline).await),
            bytes => parse(&bytes?)?,
        };
        let settings = |step: Step| {
            let variables = directory.function(step).map(|function| function.environment.clone());
            Settings::of_function(step, variables.unwrap_or_default())
        };
        let queue = |step, own: &Setting| {
            let [own, dead] = settings(step).need([own, &setting::DEAD_QUEUE])?.map(str::to_owned);
            let queue = |url| SqsQueue::new(clients.sqs(), url);
            Ok::<_, Error>((step, queue(own), queue(dead)))
        };
        let queues = [
            queue(Step::Extract, &setting::STARTS_QUEUE)?,
            queue(Step::Transform, &setting::TASKS_QUEUE)?,
            queue(Step::Load, &setting::LOADS_QUEUE)?,
        ];
        let extract = settings(Step::Extract);
        let deployed = extract.deployed(&clients).await?;
        let source = extract.input(&deployed.pipeline, &clients).await?;
        let warehouse = redshift::Settings::of(&settings(Step::Load))?;
        let warehouse = Redshift::new(clients.redshift_data(), S3Objects::at(&clients, &place), warehouse);
        Ok(Self { directory, place, deployed, source, store: Arc::new(store), queues, warehouse, clients })
    }

    /// The pipeline that is deployed.
    pub fn deployed(&self) -> &Deployed {
        &self.deployed
    }

    /// Where its objects are.
    pub fn source(&self) -> &impl Objects {
        &self.source
    }

    /// Where everything is kept.
    pub fn store(&self) -> &impl Objects {
        &*self.store
    }

    /// `s3://bucket/key` of something that is kept.
    pub fn url(&self, name: &str) -> String {
        self.store.url(name)
    }

    /// Does what extract would do if it were called with this work; what functions do then, `Begun` tells.
    pub async fn begin(&self, work: Work, batch_time: Option<i64>) -> Result<Begun, Error> {
        if matches!(work, Work::Prefix(_)) && self.deployed.pipeline.location().lands() {
            let kind = self.deployed.pipeline.location().kind();
            let extract =
                self.directory.function(Step::Extract).map(|function| function.name.as_str()).unwrap_or_default();
            let message = format!(
                "the source is `{kind}`, and only its function reads it: by its schedule, or called by hand: `aws lambda invoke \
                 --function-name {extract} --invocation-type Event --payload '{{}}' /dev/null`"
            );
            return Err(Error::new(ErrorKind::Refused, message));
        }
        let [(_, starts, _), (_, tasks, _), (_, loads, _)] = &self.queues;
        let begun = Begun::default();
        let extract = Extract {
            deployed: &self.deployed,
            source: &self.source,
            store: &*self.store,
            tasks,
            starts,
            loads,
            clock: &SystemClock,
            witness: &begun,
            deadline: i64::MAX,
            replans: false,
        };
        let (pipeline, now) = (self.deployed.pipeline.name(), SystemClock.now());
        let start = Start {
            run: identity("operated", &[pipeline, &now.to_string(), &std::process::id().to_string()]),
            pipeline: pipeline.to_owned(),
            batch_time: batch_time.unwrap_or(now),
            work,
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        };
        extract.start(&start).await?;
        Ok(begun)
    }

    /// What the warehouse says of the table.
    pub async fn in_warehouse(&self) -> Result<InWarehouse, Error> {
        let table = self.deployed.pipeline.table();
        let rows = self.warehouse.loaded(table).await?;
        let there = match rows.is_empty() || !table.lineage {
            true => None,
            false => Some(self.warehouse.by_batch(table).await?),
        };
        Ok(InWarehouse { rows, state: self.warehouse.has_rows(table).await?.into(), there })
    }

    /// How many messages each function has before it.
    pub async fn messages(&self) -> Result<Vec<Messages>, Error> {
        let mut all = Vec::new();
        for (step, queue, dead) in &self.queues {
            let (waiting, received) = queue.count().await?;
            let (lying, looked_at) = dead.count().await?;
            all.push(Messages { function: step.name(), waiting, received, dead: lying + looked_at });
        }
        Ok(all)
    }

    /// The dead letters that are wanted; they stay.
    pub async fn letters(&self, wanted: &Wanted) -> Result<Vec<Letter>, Error> {
        let mut letters = Vec::new();
        for mailbox in self.mailboxes() {
            letters.extend(mailbox.look().await?);
        }
        wanted.must_be_of(&letters)?;
        letters.retain(|letter| wanted.has(letter));
        Ok(letters)
    }

    /// Sends the dead letters that are wanted to their functions once more; with other words, if some are given for the one
    /// that is wanted.
    pub async fn send_again(&self, wanted: &Wanted, body: Option<&str>) -> Result<Vec<Letter>, Error> {
        let mut sent = Vec::new();
        let chosen = self.letters(wanted).await?;
        if body.is_some() && chosen.len() != 1 {
            let message = format!("other words are for one letter, and {} are wanted", chosen.len());
            return Err(Error::new(ErrorKind::Refused, message));
        }
        for mailbox in self.mailboxes() {
            let (again, others): (Vec<_>, Vec<_>) = mailbox.take().await?.into_iter().partition(|one| wanted.has(one));
            mailbox.give_back(&others).await?;
            for letter in again {
                mailbox.send_again(&letter, body, SystemClock.now()).await?;
                sent.push(letter);
            }
        }
        Ok(sent)
    }

    /// The functions' queues with their dead letters.
    fn mailboxes(&self) -> [Mailbox<'_, SqsQueue>; 3] {
        self.queues.each_ref().map(|(step, queue, dead)| Mailbox { step: *step, queue, dead })
    }
}

/// What is to be said where a pipeline is not deployed.
async fn not_here(store: &S3Objects, pipeline: &str) -> Error {
    let there = match names(store, Directory::prefix()).await {
        Ok(names) => names,
        Err(error) => return error,
    };
    let there: Vec<&str> = there.iter().filter_map(|name| Directory::pipeline_of(name)).collect();
    let there = match there.as_slice() {
        [] => "no pipeline is".to_owned(),
        there => format!("there are: {}", there.join(", ")),
    };
    let place = store.url("");
    Error::new(ErrorKind::NotFound, format!("pipeline `{pipeline}` is not deployed with {place}; {there}"))
}
