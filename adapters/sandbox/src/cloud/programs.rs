//! Programs: the programs that run on this machine: the functions, and the stand-ins for the services.

use std::io;
use std::path::{Path, PathBuf};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::Step;

use crate::moto::Moto;
use crate::postgres::Server;

/// The programs that stand in for services; several clouds may share them.
#[derive(Debug)]
pub struct Counterparts {
    /// S3, SQS, EventBridge, Secrets Manager.
    pub moto: Moto,
    /// What Redshift is made of.
    pub postgres: Server,
}

impl Counterparts {
    /// Starts them; `NotFound` and its name for what this machine lacks.
    pub fn start() -> io::Result<Self> {
        Ok(Self { moto: Moto::start()?, postgres: Server::start()? })
    }
}

/// The programs of the three functions.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Plans.
    pub extract: PathBuf,
    /// Reads, checks and stages.
    pub transform: PathBuf,
    /// Loads.
    pub load: PathBuf,
}

impl Programs {
    /// Those beside the running program or in a folder above it, or in cargo's.
    pub fn find() -> Result<Self, Error> {
        let mut folders: Vec<PathBuf> = Vec::new();
        if let Ok(here) = std::env::current_exe() {
            folders.extend(here.ancestors().skip(1).take(2).map(Path::to_owned));
        }
        if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
            folders.push(PathBuf::from(target).join("debug"));
        }
        let find = |program: &str| {
            let found = folders.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
            found.ok_or_else(|| {
                let message = format!("the function {program} is not beside this program; build it with cargo");
                Error::new(ErrorKind::NotFound, message)
            })
        };
        Ok(Self { extract: find("etalon-extract")?, transform: find("etalon-transform")?, load: find("etalon-load")? })
    }

    /// The program of a step.
    pub fn of(&self, step: Step) -> &Path {
        match step {
            Step::Extract => &self.extract,
            Step::Transform => &self.transform,
            Step::Load => &self.load,
        }
    }
}
