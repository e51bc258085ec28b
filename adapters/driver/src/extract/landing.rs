//! Landing: where a source is no store, a start first lands what is new of it, in the time that there is. What has landed is then
//! met like any object; the rest of the landing is a start again.
//!
//! The cursor says how far the source was read, so that whoever goes on begins where the last landing has ended, whatever the
//! message says. Of two who land at once, one writes the cursor; the other leaves the source to it.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{HOPS_MAX, Start, print};

use super::Extract;
use crate::land::LandReport;
use crate::ports::{Clock, Entry, Fact, Objects, Queue, Witness};
use crate::store::send;

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// Does what a start asks for; what it finds of the source, `land` brings.
    pub async fn land_and_start(
        &self,
        start: &Start,
        land: impl AsyncFnOnce() -> Result<LandReport, Error>,
    ) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        if start.pipeline != *pipeline.name() || !pipeline.location().lands() || !start.lands() {
            return self.start(start).await;
        }
        let landed = match land().await {
            // Somebody else has landed meanwhile, and goes on.
            Err(error) if matches!(error.kind(), ErrorKind::Changed | ErrorKind::AlreadyExists) => Ok(()),
            Err(error) => Err(error),
            Ok(report) => {
                let words: Vec<String> = report.waits_for.iter().chain(&report.notes).cloned().collect();
                self.witness.saw(&Fact::Landed(&report.windows, &words));
                if report.is_cut_short {
                    self.hand_on_landing(start).await?;
                    // A whole run is met when all of it is there.
                    if pipeline.whole_runs() {
                        return Ok(());
                    }
                }
                Ok(())
            }
        };
        // What this run of a pipeline of whole runs has met is what it has met for good; of others, what has landed is not held
        // up by what has not.
        if pipeline.whole_runs() {
            landed?;
            return self.start(start).await;
        }
        self.start(start).await?;
        landed
    }

    async fn hand_on_landing(&self, start: &Start) -> Result<(), Error> {
        let landings = start.landings + 1;
        if landings > HOPS_MAX {
            let refused = format!("run {} has landed {HOPS_MAX} times and is not at the source's end", start.run);
            return Err(Error::new(ErrorKind::Refused, refused));
        }
        let rest = Start { landings, ..start.clone() };
        send(self.starts, vec![Entry { body: print(&rest), order: None }]).await?;
        self.witness.saw(&Fact::HandedOn(&rest));
        Ok(())
    }
}
