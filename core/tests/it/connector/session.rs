//! Sessions: what a server says is told again, and tokens that it does not take any more.

use etalon_core::source::connector::{Bounds, Request, Response};
use serde_json::{Value, json};

use super::{CURSOR, Walked, manifest, ok, walk};

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn setting(cookie: &str, body: &Value) -> Option<Response> {
    Some(Response::new(200, vec![("set-cookie".to_owned(), cookie.to_owned())], body.to_string().into_bytes()))
}

#[test]
fn a_server_is_told_its_cookies_again() {
    let walked =
        walk(&manifest("", CURSOR, ""), json!({}), Bounds::default(), |request| match header(request, "Cookie") {
            None => setting("session=s3ss10n-number; Secure; HttpOnly", &json!({"items": [], "next": 1})),
            Some("session=s3ss10n-number") => {
                setting("session=; Max-Age=0", &json!({"items": [{"id": 1}], "next": null}))
            }
            other => panic!("{other:?}"),
        });
    let walked = walked.unwrap();
    assert_eq!((walked.requests.len(), walked.records.len()), (2, 1));
    // A manifest's own says all, and no error tells what a server has set.
    let own = manifest("request_headers: { Cookie: own=1 }", CURSOR, "");
    let mut asked = 0;
    let failed = walk(&own, json!({}), Bounds::default(), |request| {
        assert_eq!(header(request, "Cookie"), Some("own=1"));
        asked += 1;
        match asked {
            1 => setting("session=s3ss10n-number; Secure", &json!({"items": [], "next": 1})),
            _ => Some(Response::new(400, Vec::new(), b"no session s3ss10n-number".to_vec())),
        }
    });
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("no session ***") && !failed.contains("s3ss10n"), "{failed}");
}

const RENEW: &str = "error_handler:
          type: DefaultErrorHandler
          response_filters: [ { type: HttpResponseFilter, http_codes: [401], action: REFRESH_TOKEN_THEN_RETRY } ]";

fn oauth(more: &str) -> String {
    format!(
        "authenticator:
          type: OAuthAuthenticator
          token_refresh_endpoint: https://login.example/token
          client_id: us
          client_secret: \"{{{{ config.key }}}}\"
          refresh_token: \"{{{{ config.refresh }}}}\"
          {more}
        {RENEW}"
    )
}

/// Walks with a server that takes no token below this number; gives how often it was asked for a token, and what it was asked with.
fn with_tokens(requester: &str, good: usize) -> (usize, Result<Walked, String>) {
    let mut logins = 0;
    let config = json!({"key": "k", "refresh": "r0", "credentials": {"refresh_token": "r0"}, "given": "t-given"});
    let walked = walk(&manifest(requester, "", ""), config, Bounds::default(), |request| {
        if request.url.starts_with("https://login.example/") {
            logins += 1;
            return ok(
                &json!({"access_token": format!("t{logins}"), "expires_in": 3600, "refresh_token": format!("r{logins}")}),
            );
        }
        let number =
            header(request, "Authorization").and_then(|proof| proof.strip_prefix("Bearer t")?.parse::<usize>().ok());
        match number.unwrap_or(0) < good {
            true => Some(Response::new(401, Vec::new(), Vec::new())),
            false => ok(&json!({"items": [{"id": 1}]})),
        }
    });
    (logins, walked.map_err(|error| error.to_string()))
}

#[test]
fn a_token_that_a_server_does_not_take_is_renewed_once() {
    for more in ["", "refresh_token_updater: {}"] {
        let (logins, walked) = with_tokens(&oauth(more), 2);
        assert_eq!((logins, walked.unwrap().records.len()), (2, 1), "{more}");
        let (logins, walked) = with_tokens(&oauth(more), 3);
        let told = walked.unwrap_err();
        assert!(logins == 2 && told.contains("also with the token that was got after that"), "{more}: {told}");
    }
    // One that the configuration gives is replaced, too.
    let (logins, walked) = with_tokens(&oauth("access_token_value: \"{{ config.given }}\""), 1);
    assert_eq!((logins, walked.unwrap().records.len()), (1, 1));
    // Where nothing can be renewed it is asked again, as after any other failure.
    let bearer =
        format!("authenticator: {{ type: BearerAuthenticator, api_token: \"{{{{ config.key }}}}\" }}\n        {RENEW}");
    let (logins, walked) = with_tokens(&bearer, 1);
    assert!(logins == 0 && walked.unwrap_err().contains("HTTP 401"));
}

#[test]
fn a_record_is_a_mapping_and_has_something() {
    let read = |items: Value| {
        let walked = walk(&manifest("", "", ""), json!({}), Bounds::default(), |_| ok(&json!({"items": items})));
        walked.map(|walked| walked.records).map_err(|error| error.to_string())
    };
    assert_eq!(read(json!([{}, {"id": 1}])), Ok(vec![json!({"id": 1})]));
    for (item, noun) in [(json!("a"), "a text"), (json!(null), "null"), (json!([1]), "a list"), (json!(0), "a number")]
    {
        assert!(
            read(json!([{"id": 1}, item])).is_err_and(|told| told.contains(&format!("a record is {noun}"))),
            "{noun}"
        );
    }
    let nothing = "transformations: [ { type: RemoveFields, field_pointers: [['*']] } ]";
    let walked = walk(&manifest("", "", nothing), json!({}), Bounds::default(), |_| ok(&json!({"items": [{"id": 1}]})));
    assert_eq!(walked.unwrap().records, [] as [Value; 0]);
}
