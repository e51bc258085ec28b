//! Deployed: the pipeline that a function was deployed with, and the ones that earlier inputs were planned with.

use std::borrow::Cow;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Resolved};
use etalon_core::protocol::name;
use etalon_core::source::Names;

use crate::ports::Objects;
use crate::store::put_once;

/// The pipeline that is deployed, and its file as it was written.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The pipeline.
    pub pipeline: Resolved,
    /// Its file.
    pub text: String,
    /// Which objects are its input.
    pub inputs: Names,
}

impl Deployed {
    /// The pipeline of a fingerprint: this one, or the kept file of another.
    ///
    /// A file keeps the fingerprint under which it was stored, also if a newer Etalon would give it another: what was planned
    /// with it ends as it was planned. The stored file decides how rows are mapped; the deployment decides where they go, and by
    /// which key: names of tables may differ between environments, and the stored file does not say in which one it is.
    pub async fn pipeline(&self, store: &impl Objects, fingerprint: &str) -> Result<Cow<'_, Resolved>, Error> {
        if self.pipeline.fingerprint() == fingerprint {
            return Ok(Cow::Borrowed(&self.pipeline));
        }
        let place = name::pipeline(fingerprint);
        let bytes = store.get(&place).await?;
        let compiled = Pipeline::compile(&String::from_utf8_lossy(&bytes));
        let (pipeline, _) = compiled.map_err(|diagnostics| {
            let first = diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
            Error::new(ErrorKind::Refused, format!("{place} is no pipeline any more: {first}"))
        })?;
        Ok(Cow::Owned(self.pipeline.kept(pipeline, fingerprint)))
    }

    /// Keeps the file under its fingerprint.
    pub async fn keep(&self, store: &impl Objects) -> Result<(), Error> {
        put_once(store, &name::pipeline(self.pipeline.fingerprint()), self.text.as_bytes()).await
    }
}

#[cfg(test)]
mod tests {
    use etalon_core::plan::InputPlan;
    use etalon_core::protocol::{TaskMessage, Unit, print};

    use super::*;
    use crate::line::Line;
    use crate::memory::Memory;
    use crate::ports::{Message, Put, Quiet};
    use crate::store::{Handled, document, put};
    use crate::transform::Transform;

    const TEXT: &str = "{ etalon: 1, pipeline: p, source: { files: '*.csv', format: csv, fields: { a: } }, columns: { a: varchar(9) }, \
                        target: { table: t, write: append } }";

    /// An older Etalon has given the file of a plan another fingerprint than this one would.
    #[test]
    fn a_plan_is_run_with_the_file_that_it_was_made_with() {
        let (pipeline, _) = Pipeline::compile(TEXT).unwrap();
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        let deployed = Deployed { pipeline, text: TEXT.to_owned(), inputs: Names::beginning(String::new()) };
        let (source, store, loads) = (Memory::default(), Memory::default(), Line::default());
        pollster::block_on(async {
            source.put("a.csv", b"a\n1\n", Put::Always).await.unwrap();
            let object = source.head("a.csv").await.unwrap();
            let older = InputPlan { fingerprint: "older".to_owned(), ..deployed.pipeline.plan(&object, 0) };
            store.put(&name::pipeline("older"), TEXT.as_bytes(), Put::Always).await.unwrap();
            put(&store, &name::plan(&older.input, 0), &older, Put::Always).await.unwrap();

            let (deployed, source, store, loads) = (&deployed, &source, &store, &loads);
            let transform = Transform { deployed, source, store, loads, witness: &Quiet, progress: &Quiet };
            let body = print(&TaskMessage { input: older.input.clone(), generation: 0, range: 0 });
            let message = Message { handle: String::new(), body, received: 1, reason: None };
            assert_eq!(transform.handle(&message).await, Handled::Done);

            let place = name::unit_document(&name::table(deployed.pipeline.table()), &name::unit(&older.input, 0));
            let (unit, _) = document::<Unit>(store, &place).await.unwrap().unwrap();
            assert!(unit.is_pending(), "{:?}", unit.state);
            assert_eq!((unit.fingerprint.as_str(), unit.counts.staged), ("older", 1));
            // So it is loaded by the same file.
            let loads_with = deployed.pipeline(store, &unit.fingerprint).await.unwrap();
            assert_eq!(loads_with.fingerprint(), "older");
        });
    }
}
