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
    /// A kept file decides what rows are; where they go, the deployment decides: names of tables may differ between
    /// environments, and the kept file does not know in which one it is.
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
        Ok(Cow::Owned(self.pipeline.with_pipeline(pipeline)))
    }

    /// Keeps the file under its fingerprint.
    pub async fn keep(&self, store: &impl Objects) -> Result<(), Error> {
        put_once(store, &name::pipeline(self.pipeline.fingerprint()), self.text.as_bytes()).await
    }
}
