//! Signing in with a browser on this machine, which comes back to a port of ours (RFC 8252 section 7.3).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedplate_types::{ErrorKind, Problem};
use kube::Client;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Login, SIGNING_IN};
use crate::commands::connect::asking;
use crate::keys;
use crate::oidc::escaped;

const PATIENCE: Duration = Duration::from_secs(300);
/// A browser's request line with a code in it is shorter.
const LONGEST_REQUEST: u64 = 16 * 1024;

pub async fn sign_in(client: &Client, command: &Login) -> Result<Value, Problem> {
    let provider = bedplate_client::login_provider(client).await.map_err(asking(SIGNING_IN))?;
    let listener = TcpListener::bind(("127.0.0.1", command.callback_port)).await.map_err(|error| own(&error))?;
    let port = listener.local_addr().map_err(|error| own(&error))?.port();
    let redirect_uri = format!("http://127.0.0.1:{port}/callback");
    let (state, nonce, verifier) = (secret()?, secret()?, secret()?);
    let address = address(&provider, &redirect_uri, &state, &nonce, &verifier);
    eprintln!("open {address}");
    if !command.no_browser {
        open(&address);
    }
    let code = tokio::time::timeout(PATIENCE, come_back(&listener, &state)).await.unwrap_or_else(|_| {
        Err(Problem::new(ErrorKind::Timeout, SIGNING_IN, "nobody signed in within 5 minutes")
            .with_fix("bedplate login"))
    })?;
    let brought = json!({ "code": code, "verifier": verifier, "redirectUri": redirect_uri, "nonce": nonce });
    bedplate_client::login(client, &brought).await.map_err(asking(SIGNING_IN))
}

fn secret() -> Result<String, Problem> {
    Ok(URL_SAFE_NO_PAD.encode(keys::random::<32>()?))
}

fn address(provider: &Value, redirect_uri: &str, state: &str, nonce: &str, verifier: &str) -> String {
    let text = |name: &str| provider[name].as_str().unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let pairs = [
        ("response_type", "code"),
        ("client_id", text("clientId")),
        ("redirect_uri", redirect_uri),
        ("scope", text("scopes")),
        ("state", state),
        ("nonce", nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let endpoint = text("authorizationEndpoint");
    let mark = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{mark}{}", query.join("&"))
}

/// A browser that does not open is no failure: the address was shown.
fn open(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(program);
    command.arg(address).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::debug!(%error, program, "no browser was opened");
    }
}

/// Waits for the browser with our state; whatever else knocks is sent away.
async fn come_back(listener: &TcpListener, state: &str) -> Result<String, Problem> {
    loop {
        let (mut stream, _) = listener.accept().await.map_err(|error| own(&error))?;
        let Some(target) = target(&mut stream).await else { continue };
        match outcome(&target, state) {
            None => answer(&mut stream, "404 Not Found", "There is nothing here.").await,
            Some(Ok(code)) => {
                answer(&mut stream, "200 OK", "You are signed in. You can close this page.").await;
                return Ok(code);
            }
            Some(Err(why)) => {
                answer(&mut stream, "200 OK", "You are not signed in. The terminal says why.").await;
                return Err(Problem::new(ErrorKind::Unauthenticated, SIGNING_IN, why).with_fix("bedplate login"));
            }
        }
    }
}

/// What the request's first line asks for.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let (mut read, mut buffer) = (Vec::new(), [0; 2048]);
    let mut limited = stream.take(LONGEST_REQUEST);
    loop {
        let some = tokio::time::timeout(Duration::from_secs(5), limited.read(&mut buffer)).await.ok()?.ok()?;
        read.extend_from_slice(&buffer[..some]);
        if some == 0 || read.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    let line = String::from_utf8_lossy(&read).lines().next()?.to_owned();
    line.strip_prefix("GET ")?.split(' ').next().map(ToOwned::to_owned)
}

/// The code, or why there is none; `None`: it is not the answer we wait for.
fn outcome(target: &str, state: &str) -> Option<Result<String, String>> {
    let query = target.strip_prefix("/callback?")?;
    let field = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| unescaped(value))
    };
    if field("state")? != state {
        return None;
    }
    Some(field("code").ok_or_else(|| {
        let (error, more) = (field("error").unwrap_or_default(), field("error_description").unwrap_or_default());
        format!("the provider refused: {error} {more}")
            .trim_end()
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect()
    }))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let pair: Option<u8> = rest
                    .next()
                    .zip(rest.next())
                    .and_then(|(high, low)| u8::from_str_radix(std::str::from_utf8(&[high, low]).ok()?, 16).ok());
                bytes.extend(pair);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn answer(stream: &mut TcpStream, status: &str, said: &str) {
    let page = format!("<!doctype html><html lang=en><meta charset=utf-8><title>bedplate</title><p>{said}</p></html>");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         content-security-policy: default-src 'none'\r\nconnection: close\r\n\r\n",
        page.len()
    );
    // The browser may be gone: what it came for is done.
    let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn own(error: &std::io::Error) -> Problem {
    Problem::new(ErrorKind::Busy, "listening for the browser", error.to_string())
        .with_fix("bedplate login --callback-port with another port, or --device")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        assert_eq!(outcome("/callback?code=a%2Bb&state=s", "s"), Some(Ok("a+b".into())));
        assert_eq!(outcome("/callback?code=a&state=t", "s"), None);
        assert_eq!(outcome("/callback?code=a", "s"), None);
        assert_eq!(outcome("/favicon.ico", "s"), None);
        let refused = outcome("/callback?error=access_denied&error_description=not+you%0a&state=s", "s").unwrap();
        assert_eq!(refused, Err("the provider refused: access_denied not you".into()));
    }
}
