//! Store: files of S3, read whole by a thread that waits for them.

use std::fmt;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::super::translate::Location;
use crate::aws;

/// S3, for somebody outside of any runtime.
#[derive(Debug)]
pub(super) struct Store {
    client: Client,
    runtime: Runtime,
}

impl Store {
    /// The S3 of an endpoint; `Err` holds the words of an error.
    pub(super) fn new(endpoint: Option<&str>) -> Result<Self, String> {
        let endpoint = endpoint.ok_or_else(|| "ERROR: the sandbox has no S3 to copy from".to_owned())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("FATAL: the sandbox has no runtime: {error}"))?;
        Ok(Self { client: aws::s3(endpoint), runtime })
    }

    /// The bytes of an object, if it is there.
    pub(super) fn get(&self, location: &Location) -> Result<Option<Bytes>, String> {
        let Location { bucket, key } = location;
        self.runtime.block_on(async {
            let gone = |error: &dyn fmt::Display| format!("ERROR: S3ServiceException:{location}: {error},Status 503");
            let found = match self.client.get_object().bucket(bucket).key(key).send().await {
                Ok(found) => found,
                Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
                Err(error) => {
                    let Some(status) = error.raw_response().map(|response| response.status().as_u16()) else {
                        return Err(gone(&error));
                    };
                    let code = error.code().unwrap_or("Unknown");
                    let message = error.message().unwrap_or(code);
                    return Err(format!(
                        "ERROR: S3ServiceException:{message}: {location},Status {status},Error {code}"
                    ));
                }
            };
            found.body.collect().await.map(|body| Some(body.into_bytes())).map_err(|error| gone(&error))
        })
    }
}

/// What Redshift says of an object that is not there.
pub(super) fn absent(location: &Location) -> String {
    format!("ERROR: S3ServiceException:The specified key does not exist.: {location},Status 404,Error NoSuchKey")
}
