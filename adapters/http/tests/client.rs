//! The client against a server of a few lines, which answers what each test says, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use etalon_core::error::ErrorKind;
use etalon_core::source::connector::Request;
use etalon_http::Client;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// A server that gives these answers, one a connection, and tells what it was asked.
struct Server {
    address: String,
    asked: Receiver<String>,
}

impl Server {
    fn answering(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read(&mut stream);
                // Whoever asks may have gone away, which some tests are about.
                let _ = told.send(request);
                let _ = stream.write_all(&answer);
            }
        });
        Self { address, asked }
    }

    fn get(&self, path: &str) -> Request {
        Request { method: "GET".to_owned(), url: format!("{}{path}", self.address), headers: Vec::new(), body: None }
    }
}

/// A request with its body, if it says how long that is.
fn read(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut whole =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes();
    whole.extend_from_slice(body);
    whole
}

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let level = Compression::fast();
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "zlib" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
    }
}

#[test]
fn a_method_without_its_body_says_so() {
    let server = Server::answering(vec![answer("200 OK", b"[]"), answer("200 OK", b"[]")]);
    let client = Client::new(true);
    client.send(&Request { method: "POST".to_owned(), ..server.get("/x") }).unwrap();
    let asked = server.asked.recv().unwrap().to_lowercase();
    assert!(asked.contains("content-length: 0") && !asked.contains("chunked"), "{asked}");
    client.send(&server.get("/x")).unwrap();
    let asked = server.asked.recv().unwrap().to_lowercase();
    assert!(!asked.contains("content-length") && !asked.contains("chunked"), "{asked}");
}

#[test]
fn a_request_is_sent_as_it_is_and_the_answer_comes_whole() {
    let server = Server::answering(vec![answer("418 Teapot\r\nX-Page: 2", b"{\"a\":1}")]);
    let request = Request {
        method: "POST".to_owned(),
        url: format!("{}/people?x=1", server.address),
        headers: vec![("X-Key".to_owned(), "k".to_owned())],
        body: Some("a=1".to_owned()),
    };
    let response = Client::new(true).send(&request).unwrap();
    assert_eq!(
        (response.status, response.body.as_slice(), response.header("x-page")),
        (418, b"{\"a\":1}".as_slice(), Some("2"))
    );
    let asked = server.asked.recv().unwrap();
    assert!(asked.starts_with("POST /people?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("x-key: k\r\n") && asked.ends_with("\r\n\r\na=1"), "{asked}");
}

#[test]
fn compressed_answers_are_decompressed() {
    let body = b"[1, 2, 3]".repeat(1000);
    for (encoding, name) in [("gzip", "gzip"), ("zlib", "deflate"), ("raw", "deflate")] {
        let head = format!("200 OK\r\nContent-Encoding: {name}");
        let server = Server::answering(vec![answer(&head, &encoded(encoding, &body))]);
        assert_eq!(Client::new(true).send(&server.get("/")).unwrap().body, body, "{encoding}");
    }
    let server = Server::answering(vec![answer("200 OK\r\nContent-Encoding: br", b"x")]);
    let error = Client::new(true).send(&server.get("/")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().ends_with("is encoded as `br`, for which it was not asked"), "{error}");
}

#[test]
fn a_small_answer_that_grows_without_end_is_refused() {
    let bomb = encoded("gzip", &vec![0; 65 << 20]);
    let server = Server::answering(vec![answer("200 OK\r\nContent-Encoding: gzip", &bomb)]);
    let error = Client::new(true).send(&server.get("/bomb?token=secret")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), format!("the answer of `{}/bomb` is longer than 64 MiB", server.address));
}

#[test]
fn what_a_redirect_sets_as_a_cookie_is_told_where_it_leads_to() {
    let server = Server::answering(vec![
        answer("302 Found\r\nLocation: /in\r\nSet-Cookie: sid=new; Path=/\r\nSet-Cookie: other=1; Path=/out", b""),
        answer("200 OK\r\nSet-Cookie: last=2", b"{}"),
    ]);
    let mut request = server.get("/login");
    request.headers.push(("Cookie".to_owned(), "sid=old; own=3".to_owned()));
    let response = Client::new(true).send(&request).unwrap();
    let set: Vec<&str> =
        response.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, set)| set.as_str()).collect();
    assert_eq!(set, ["sid=new; Path=/", "other=1; Path=/out", "last=2"]);
    let asked: Vec<String> = server.asked.iter().take(2).map(|asked| asked.to_lowercase()).collect();
    assert!(asked[0].contains("cookie: sid=old; own=3\r\n"), "{asked:?}");
    assert!(asked[1].contains("cookie: own=3; sid=new\r\n"), "{asked:?}");
}

#[test]
fn a_redirect_is_followed_on_its_own_server_only() {
    let server = Server::answering(vec![answer("302 Found\r\nLocation: /there", b""), answer("200 OK", b"here")]);
    let request = Request { method: "POST".to_owned(), body: Some("a=1".to_owned()), ..server.get("/") };
    assert_eq!(Client::new(true).send(&request).unwrap().body, b"here");
    let asked = server.asked.iter().take(2).last().unwrap();
    assert!(asked.starts_with("GET /there ") && asked.ends_with("\r\n\r\n"), "{asked}");

    for location in ["http://127.0.0.1:1/", "https://169.254.169.254/latest/meta-data", "//other.example/"] {
        let server = Server::answering(vec![answer(&format!("307 Elsewhere\r\nLocation: {location}"), b"")]);
        let error = Client::new(true).send(&server.get("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains("redirects to another server, which is not followed"), "{error}");
    }

    let server = Server::answering(vec![answer("301 Round\r\nLocation: /", b""); 6]);
    let error = Client::new(true).send(&server.get("/")).unwrap_err();
    assert!(error.to_string().ends_with("redirects more than 5 times"), "{error}");
}

#[test]
fn a_name_that_leads_to_this_machine_is_refused_unless_allowed() {
    let server = Server::answering(vec![answer("200 OK", b"")]);
    let port = server.address.rsplit_once(':').unwrap().1;
    let named = Request { url: format!("http://localhost:{port}/x?token=secret"), ..server.get("/") };
    let error = Client::new(false).send(&named).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let told = format!("`http://localhost:{port}/x` leads to an address of this machine or of a private network");
    assert_eq!(error.to_string(), told);
}

#[test]
fn no_answer_and_half_an_answer_may_be_asked_for_again() {
    let server = Server::answering(Vec::new());
    let error = Client::new(true).send(&server.get("/x?token=secret")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().starts_with(&format!("`{}/x`: ", server.address)), "{error}");

    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let server = Server::answering(vec![half]);
    assert_eq!(Client::new(true).send(&server.get("/")).unwrap_err().kind(), ErrorKind::Unavailable);
}
