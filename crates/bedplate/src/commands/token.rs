//! `token`: make, list or end tokens.

use std::path::Path;
use std::process::ExitCode;

use bedplate_client::print;
use bedplate_identity::{ServiceAccount, TokenRequest};
use bedplate_types::{ErrorKind, Problem, Scope};
use serde_json::{Value, json};

use super::connect::{asking, client, connection, out};
use crate::cli::{Format, NewToken, Token, TokenCommand};
use crate::kubeconfig;

pub async fn run(home: &Path, command: &Token) -> Result<ExitCode, Problem> {
    match &command.command {
        TokenCommand::Create(new) => create(home, new).await?,
        TokenCommand::List { output } => list(home, *output).await?,
        TokenCommand::Revoke { id } => revoke(home, id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(home: &Path, new: &NewToken) -> Result<(), Problem> {
    let asked = serde_json::to_value(request(new)?)
        .map_err(|error| Problem::new(ErrorKind::Internal, "a new token", error.to_string()))?;
    let made = bedplate_client::token_create(&client(home)?, &asked).await.map_err(asking("making a token"))?;
    let (token, principal) = (text(&made["token"]), text(&made["principal"]["name"]));
    let until = made["expiresAt"].as_str().unwrap_or("it is revoked");
    match &new.kubeconfig {
        Some(file) => {
            let mut theirs = connection(home)?;
            theirs.trust.identity = None;
            (theirs.token, theirs.namespace) = (token.to_owned(), new.namespace.clone());
            kubeconfig::readdress(&mut theirs, new.server.as_deref());
            kubeconfig::write(file, principal, &theirs)?;
            eprintln!("{principal} until {until}: export KUBECONFIG={}", file.display());
        }
        None => {
            println!("{token}");
            if let Some(secret) = made["secretAccessKey"].as_str() {
                println!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={secret}", text(&made["accessKeyId"]));
            }
            eprintln!(
                "{principal} until {until}; it is not shown again. End it: bedplate token revoke {}",
                text(&made["id"])
            );
        }
    }
    Ok(())
}

fn request(new: &NewToken) -> Result<TokenRequest, Problem> {
    let account = || ServiceAccount { namespace: new.namespace.clone(), name: new.name.clone() };
    Ok(TokenRequest {
        user: (!new.service_account).then(|| new.name.clone()),
        service_account: new.service_account.then(account),
        groups: new.groups.clone(),
        expires_in: (new.expires != "never").then(|| new.expires.clone()),
        description: new.description.clone(),
        scope: scope(&new.scopes)?,
        s3: new.s3,
    })
}

/// None for none given. What is too long together is refused: without a scope the token would have all rights.
fn scope(given: &[Scope]) -> Result<Option<Scope>, Problem> {
    if given.is_empty() {
        return Ok(None);
    }
    let rules: Vec<String> = given.iter().map(ToString::to_string).collect();
    let joined = rules.join(" ").parse().map_err(|_| {
        let why = format!("its {} scopes are too long together", given.len());
        Problem::new(ErrorKind::Invalid, "a new token", why).with_fix("say less of them, with * or read and write")
    });
    joined.map(Some)
}

async fn list(home: &Path, format: Option<Format>) -> Result<(), Problem> {
    let listed = bedplate_client::token_list(&client(home)?).await.map_err(asking("the tokens"))?;
    let mut stdout = std::io::stdout();
    match format {
        Some(Format::Json) => out(print::json(&mut stdout, &listed))?,
        Some(Format::Yaml) => out(print::yaml(&mut stdout, &listed))?,
        _ => {
            lines(&listed);
            Some(())
        }
    };
    Ok(())
}

fn lines(listed: &Value) {
    println!("{:<18}{:<34}{:<9}{:<29}{:<40}DESCRIPTION", "ID", "PRINCIPAL", "STATE", "EXPIRES", "SCOPE");
    for token in listed["tokens"].as_array().into_iter().flatten() {
        let state = if token["revoked"] == json!(true) { "revoked" } else { "active" };
        let expires = token["expires_at"].as_str().unwrap_or("never");
        let (id, principal) = (text(&token["id"]), text(&token["principal"]["name"]));
        let scope = token["scope"].as_str().unwrap_or("all its rights");
        println!("{id:<18}{principal:<34}{state:<9}{expires:<29}{scope:<40}{}", text(&token["description"]));
    }
}

async fn revoke(home: &Path, id: &str) -> Result<(), Problem> {
    let ended = bedplate_client::token_revoke(&client(home)?, id).await.map_err(asking(format!("token {id}")))?;
    let how = if ended["before"] == json!(true) { "had been revoked before" } else { "revoked" };
    println!("token {id} {how}");
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_cannot_be_told_are_refused_and_never_left_out() {
        let rule = |namespace: &str| format!("get:datasets:{namespace}").parse::<Scope>().unwrap();
        assert_eq!(scope(&[]).unwrap(), None);
        let two = scope(&[rule("a"), rule("b")]).unwrap().unwrap();
        assert!(two.covers("get", "datasets", "b") && !two.covers("get", "datasets", "c"));
        let many: Vec<Scope> = (0..100).map(|number| rule(&format!("a-namespace-with-a-long-name-{number}"))).collect();
        assert_eq!(scope(&many).unwrap_err().kind, ErrorKind::Invalid);
    }
}
