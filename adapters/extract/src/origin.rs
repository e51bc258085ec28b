//! Origin: what is asked where the source is no store: a database or an API, with the settings and secrets of the deployment.
//!
//! Secrets are read for each landing, so that one that was rotated counts at once; nothing of them is kept or told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use etalon_aws::client::Clients;
use etalon_aws::settings::Settings;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::source::Location;
use etalon_core::source::connector::Connector;
use etalon_driver::land::{Asked, Asks, Land, LandReport};
use etalon_driver::local::{SystemClock, chance};
use etalon_driver::ports::{Clock, Database, Objects};
use etalon_http::Client;
use etalon_mysql as mysql;
use etalon_postgres as postgres;
use etalon_wire::Reach;

/// A source that lands.
#[derive(Debug)]
pub(crate) struct Origin {
    settings: Settings,
    clients: Clients,
    connector: Option<Connector>,
    certificates: Option<PathBuf>,
}

impl Origin {
    /// The source of a pipeline. What is missing of its settings is told at once.
    pub(crate) async fn of(pipeline: &Pipeline, settings: &Settings, clients: &Clients) -> Result<Self, Error> {
        settings.has_values(pipeline)?;
        Ok(Self {
            connector: settings.connector(pipeline, clients).await?,
            certificates: settings.certificates(clients).await?,
            settings: settings.clone(),
            clients: clients.clone(),
        })
    }

    /// Lands what is new. `end`: when nothing is waited for any more, in microseconds since 1970.
    pub(crate) async fn land<S: Objects>(
        &self,
        land: &Land<'_, S, SystemClock>,
        end: i64,
    ) -> Result<LandReport, Error> {
        let location = self.settings.location(land.pipeline, &self.clients).await?;
        if let Some(place) = location.secret_in_clear(self.connector.as_ref()) {
            let message = format!("{place} is not a secret of the deployment: write it as `${{secret:name}}`");
            return Err(Error::new(ErrorKind::Refused, message));
        }
        let left = Duration::from_micros(u64::try_from(end - SystemClock.now()).unwrap_or_default());
        let ends = Instant::now() + left;
        let reach = Reach { roots: self.certificates.clone(), ends: Some(ends) };
        let database: Option<Box<dyn Database>> = match &location {
            Location::Postgres(database) => Some(Box::new(postgres::Source::reach(database.url.reveal(), reach)?)),
            Location::Mysql(database) => Some(Box::new(mysql::Source::reach(database.url.reveal(), reach)?)),
            _ => None,
        };
        if let Some(mut database) = database {
            return land.land(database.as_mut(), Asked::New).await;
        }
        let (Some(api), Some(connector)) = (location.api(), &self.connector) else {
            let message = format!("the source is `{}`, which is not asked for rows", location.kind());
            return Err(Error::new(ErrorKind::Refused, message));
        };
        let config = api.config(connector)?;
        let asks = Asks { api, connector, config: &config, chance: chance(), tokens: land.store };
        land.walk(&mut Client::new(api.reaches_private).until(ends), &asks).await
    }
}
