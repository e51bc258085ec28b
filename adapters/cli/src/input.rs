//! Input: what a verb reads: files that lie somewhere, or windows of a database or of an API that have landed in the store.

use std::collections::BTreeMap;
use std::convert::Infallible;

use etalon_core::error::Error;
use etalon_core::plan::Object;
use etalon_core::source::Location;
use etalon_core::source::sketch::Kind;
use etalon_core::spec::Filled;
use etalon_driver::land::{self, Asked, Asks, Land, LandReport, Landed};
use etalon_driver::local::{LocalDisk, SystemClock, chance};
use etalon_driver::ports::{Database, Objects};
use etalon_http::Client;
use etalon_mysql as mysql;
use etalon_postgres as postgres;

use crate::arguments::Source;
use crate::failure::Failure;
use crate::loaded::{Loaded, value};
use crate::output::Output;

/// Where objects lie: files by their names, or windows that have landed.
pub(crate) type Input = land::Input<LocalDisk>;

/// Objects that were found, or a source that is asked under the lock of the run.
#[derive(Debug)]
pub(crate) enum Found {
    /// They lie there.
    Files(LocalDisk, Vec<Object>),
    /// What is asked of the source, if it is asked at all, and lands.
    Lands(Option<Asked>),
}

/// What is read, and what landed on the way.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Where it lies.
    pub(crate) input: Input,
    /// What there is.
    pub(crate) objects: Vec<Object>,
    /// What has landed now.
    pub(crate) landed: Option<LandReport>,
    /// Why nothing has, where something has landed before.
    pub(crate) failed: Option<Failure>,
}

impl Source {
    /// The files to read, or that a database is asked.
    pub(crate) fn find(&self, loaded: &Loaded, asked: Option<Asked>, output: Output) -> Result<Found, Failure> {
        if !loaded.pipeline.location().lands() {
            let (disk, objects) = self.objects(loaded, output)?;
            return Ok(Found::Files(disk, objects));
        }
        if !self.from.is_empty() {
            let kind = loaded.pipeline.location().kind();
            let message = format!("--from names files, and the source of this pipeline is `{kind}`");
            return Err(Failure::environment(message).with_help("leave --from out"));
        }
        Ok(Found::Lands(asked))
    }
}

impl Found {
    /// What is read. A database is asked now; the caller has the lock of the run. Where it does not answer, there is what has
    /// landed before.
    pub(crate) fn take(self, loaded: &Loaded, store: &LocalDisk) -> Result<Taken, Failure> {
        let asked = match self {
            Self::Files(disk, objects) => {
                return Ok(Taken { input: Input::Stored(disk), objects, landed: None, failed: None });
            }
            Self::Lands(asked) => asked,
        };
        let landed = asked.map(|asked| land(loaded, store, asked)).transpose();
        let there = Landed::of(store.clone(), &loaded.pipeline);
        let objects = pollster::block_on(there.objects("", None, usize::MAX))?;
        let (landed, failed) = match landed {
            Err(failure) if objects.is_empty() => return Err(failure),
            Err(failure) => (None, Some(failure)),
            Ok(landed) => (landed, None),
        };
        Ok(Taken { input: Input::Landed(there), objects, landed, failed })
    }
}

/// Lands what is asked for in a store.
fn land(loaded: &Loaded, store: &LocalDisk, asked: Asked) -> Result<LandReport, Failure> {
    loaded.land(&lander(loaded, store), asked)
}

/// Who lands, with as much time as it takes.
pub(crate) fn lander<'a, S: Objects>(loaded: &'a Loaded, store: &'a S) -> Land<'a, S, SystemClock> {
    Land {
        pipeline: &loaded.pipeline,
        store,
        clock: &SystemClock,
        deadline: i64::MAX,
        piece_bytes: None,
        rows_max: None,
    }
}

impl Taken {
    /// The objects that are links to files, with the names of these.
    pub(crate) fn links(&self) -> Result<BTreeMap<String, String>, Error> {
        let Input::Stored(disk) = &self.input else { return Ok(BTreeMap::new()) };
        let file = |object: &Object| Ok(disk.file_of(&object.name)?.map(|file| (object.name.clone(), file)));
        self.objects.iter().filter_map(|object| file(object).transpose()).collect()
    }
}

impl Loaded {
    /// Where the pipeline's objects lie: in the store where they land, else where its files are.
    pub(crate) fn input(&self, store: &LocalDisk) -> Input {
        let stored = || Ok::<_, Infallible>(LocalDisk::new(&self.folder));
        let Ok(input) = Input::of(&self.pipeline, store.clone(), stored);
        input
    }

    /// Lands what is asked of the source.
    pub(crate) fn land<S: Objects>(
        &self,
        land: &Land<'_, S, SystemClock>,
        asked: Asked,
    ) -> Result<LandReport, Failure> {
        let location = self.pipeline.location().resolve::<Failure>(value)?;
        if let Some(mut database) = opened(&location)? {
            return Ok(pollster::block_on(land.land(database.as_mut(), asked))?);
        }
        let (Some(api), Some(connector)) = (location.api(), &self.connector) else {
            let kind = location.kind();
            return Err(Failure::environment(format!("the source is `{kind}`, which is not asked for rows")));
        };
        if asked != Asked::New {
            let message = "the source is an API, whose cursor is its own: no part of it can be named";
            return Err(Failure::environment(message.to_owned())
                .with_help("`etalon state reset` has the next run read it from its beginning"));
        }
        let config = api.config(connector)?;
        // In one place, whatever warehouse and table are loaded, and also where nothing else is kept.
        let tokens = LocalDisk::new(self.state());
        let asks = Asks { api, connector, config: &config, chance: chance(), tokens: &tokens };
        Ok(pollster::block_on(land.walk(&mut Client::new(api.reaches_private), &asks))?)
    }
}

impl Loaded {
    /// The database that is read, if the source is one.
    pub(crate) fn source_database(&self) -> Result<Option<Box<dyn Database>>, Failure> {
        opened(&self.pipeline.location().resolve::<Failure>(value)?)
    }
}

fn opened(location: &Location<Filled>) -> Result<Option<Box<dyn Database>>, Failure> {
    Ok(match location {
        Location::Postgres(database) => Some(Box::new(postgres::Source::open(database.url.reveal())?)),
        Location::Mysql(database) => Some(Box::new(mysql::Source::open(database.url.reveal())?)),
        _ => None,
    })
}

/// The kind of database of a URL, and a connection to it.
pub(crate) fn database(url: &str) -> Result<(Kind, Box<dyn Database>), Failure> {
    let kind = Kind::of(url).ok_or_else(|| {
        let message = "--from does not begin with postgres:// or mysql://";
        Failure::arguments(message.to_owned())
    })?;
    let source: Box<dyn Database> = match kind {
        Kind::Postgres => Box::new(postgres::Source::open(url)?),
        Kind::Mysql => Box::new(mysql::Source::open(url)?),
    };
    Ok((kind, source))
}
