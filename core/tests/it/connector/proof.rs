//! Who asks is proved: by what a key signs, by sessions, and by what one login takes from another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use etalon_core::source::connector::{Bounds, Response};
use serde_json::json;

use super::{NOW, OFFSET, manifest, ok, query, walk};

#[test]
fn a_token_is_signed_with_its_claims() {
    let jwt = "authenticator:
          type: JwtAuthenticator
          algorithm: HS256
          secret_key: \"{{ config.key }}\"
          token_duration: 100
          header_prefix: Bearer
          jwt_headers: { kid: k1 }
          jwt_payload: { iss: \"{{ config.id }}\" }
          additional_jwt_payload: { scope: read }";
    let config = json!({"key": "s3cret", "id": "me"});
    let walked = walk(&manifest(jwt, &OFFSET.replace("SIZE", "1"), ""), config, Bounds::default(), |request| {
        let is_last = query(request).contains_key("offset");
        ok(&json!({"items": if is_last { vec![] } else { vec![json!({"id": 1})] }}))
    });
    let walked = walked.unwrap();
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    assert_eq!(walked.requests.len(), 2);
    for request in &walked.requests {
        let (_, token) = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        let parts: Vec<&str> = token.strip_prefix("Bearer ").unwrap().split('.').collect();
        let now = NOW / 1_000_000;
        assert_eq!(decoded(parts[0]), br#"{"typ":"JWT","alg":"HS256","kid":"k1"}"#);
        let payload = format!(r#"{{"scope":"read","iss":"me","iat":{now},"exp":{},"nbf":{now}}}"#, now + 100);
        assert_eq!(decoded(parts[1]), payload.as_bytes());
        assert_eq!(decoded(parts[2]), b"signed by s3cret");
    }
}

#[test]
fn a_session_token_that_is_not_taken_gives_way_to_a_login() {
    let legacy = "authenticator:
          type: LegacySessionTokenAuthenticator
          header: X-Session
          login_url: /session
          validate_session_url: /user/current
          session_token_response_key: id
          session_token: \"{{ config.token }}\"
          username: \"{{ config.user }}\"
          password: \"{{ config.key }}\"";
    let config = json!({"token": "mine", "user": "u", "key": "s3cret"});
    for (is_taken, asked, header) in [
        (true, vec!["/user/current", "/things"], "mine"),
        (false, vec!["/user/current", "/session", "/things"], "bought"),
    ] {
        let walked = walk(&manifest(legacy, "", ""), config.clone(), Bounds::default(), |request| {
            match request.url.strip_prefix("https://api.example").unwrap() {
                "/user/current" => Some(Response::new(if is_taken { 200 } else { 401 }, Vec::new(), Vec::new())),
                "/session" => {
                    assert_eq!(request.body.as_deref(), Some(r#"{"username": "u", "password": "s3cret"}"#));
                    ok(&json!({"id": "bought"}))
                }
                _ => ok(&json!({"items": [{"id": 1}]})),
            }
        });
        let walked = walked.unwrap();
        let paths: Vec<&str> =
            walked.requests.iter().filter_map(|request| request.url.strip_prefix("https://api.example")).collect();
        assert_eq!(paths, asked);
        assert!(walked.requests.last().unwrap().headers.contains(&("X-Session".to_owned(), header.to_owned())));
    }
    let told =
        walk(&manifest(legacy, "", ""), json!({"token": "mine", "user": "", "key": ""}), Bounds::default(), |_| {
            Some(Response::new(401, Vec::new(), Vec::new()))
        });
    assert!(told.unwrap_err().to_string().contains("no name and password to log in with"));
}

#[test]
fn a_login_may_be_proved_by_a_signed_token() {
    let session = "authenticator:
          type: SessionTokenAuthenticator
          login_requester:
            type: HttpRequester
            url_base: https://api.example
            path: token
            http_method: POST
            authenticator: { type: JwtAuthenticator, algorithm: RS256, secret_key: k, header_prefix: Bearer }
          session_token_path: [token]
          expiration_duration: PT1H
          request_authentication: { type: Bearer }";
    let walked = walk(&manifest(session, "", ""), json!({}), Bounds::default(), |request| {
        let (_, proof) = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        match request.url.ends_with("/token") {
            true => {
                assert_eq!(proof.split('.').count(), 3);
                ok(&json!({"token": "t"}))
            }
            false => {
                assert_eq!(proof, "Bearer t");
                ok(&json!({"items": [{"id": 1}]}))
            }
        }
    });
    assert_eq!(walked.unwrap().requests.len(), 2);
}

#[test]
fn a_login_between_two_attempts_does_not_make_them_fewer() {
    // Without a time that it lasts, each request has a token of its own.
    let session = "authenticator:
          type: SessionTokenAuthenticator
          login_requester: { type: HttpRequester, url_base: https://api.example, path: token, http_method: POST }
          session_token_path: [token]
          request_authentication: { type: Bearer }";
    let mut asked = 0;
    let walked = walk(&manifest(session, "", ""), json!({}), Bounds::default(), |request| {
        if request.url.ends_with("/token") {
            return ok(&json!({"token": "t"}));
        }
        asked += 1;
        Some(Response::new(503, Vec::new(), Vec::new()))
    });
    assert!(walked.unwrap_err().to_string().contains("503"));
    assert_eq!(asked, 6, "the first attempt and five more");
}
