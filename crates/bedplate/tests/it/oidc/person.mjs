// What a person does in a browser to sign in: follows links, keeps cookies, fills forms. Arguments: where to begin, who, and
// what to do: `sign-in` prints the page one ends at; `refuse` declines; `token CLIENT` signs in as that client and prints
// the ID token.
import { createHash, randomBytes } from 'node:crypto';

const [begin, who, what, client] = process.argv.slice(2);
const cookies = new Map();

async function go(url, form) {
  for (let hops = 0; hops < 20; hops += 1) {
    const sent = [...(cookies.get(new URL(url).hostname) ?? new Map())].map(([name, value]) => `${name}=${value}`);
    const answer = await fetch(url, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      headers: { cookie: sent.join('; '), ...(form && { 'content-type': 'application/x-www-form-urlencoded' }) },
      body: form && new URLSearchParams(form).toString(),
    });
    const jar = cookies.get(new URL(url).hostname) ?? new Map();
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    cookies.set(new URL(url).hostname, jar);
    const location = answer.headers.get('location');
    if (!location) return { url, status: answer.status, text: await answer.text() };
    url = new URL(location, url).href;
    form = undefined;
    if (what === 'token' && url.startsWith('http://127.0.0.1/callback')) return { url, status: 302, text: '' };
  }
  throw new Error('redirected for ever');
}

// The page's form with what it would send.
function form(page) {
  const [, attributes] = /<form([^>]*)>/.exec(page.text) ?? [];
  if (attributes === undefined) return undefined;
  const action = /action="([^"]*)"/.exec(attributes)?.[1] ?? page.url;
  const fields = {};
  for (const [tag] of page.text.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    if (name) fields[name] = /value="([^"]*)"/.exec(tag)?.[1] ?? '';
  }
  return { action: new URL(action.replaceAll('&amp;', '&'), page.url).href, fields };
}

async function walk(url) {
  let page = await go(url);
  for (let pages = 0; pages < 8; pages += 1) {
    const found = form(page);
    if (!found || page.text.includes('action="/logout"') || found.fields.token !== undefined) return page;
    if (what === 'refuse') {
      const [, abort] = /href="([^"]*abort[^"]*)"/.exec(page.text);
      page = await go(new URL(abort, page.url).href);
      continue;
    }
    if ('login' in found.fields) Object.assign(found.fields, { login: who, password: 'any' });
    delete found.fields.abort;
    page = await go(found.action, found.fields);
  }
  return page;
}

if (what === 'token') {
  const verifier = randomBytes(32).toString('base64url');
  const query = {
    client_id: client, response_type: 'code', scope: 'openid email profile', redirect_uri: 'http://127.0.0.1/callback',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    state: 's', nonce: 'n',
  };
  const page = await walk(`${begin}/auth?${new URLSearchParams(query)}`);
  const code = new URL(page.url).searchParams.get('code');
  const answer = await fetch(`${begin}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: client, code, code_verifier: verifier, redirect_uri: query.redirect_uri,
    }),
  });
  console.log((await answer.json()).id_token);
} else {
  const page = await walk(begin);
  let text = page.text;
  // The console's page goes on by itself.
  const next = /content="0; url=([^"]*)"/.exec(text)?.[1];
  if (next) text = (await go(new URL(next, page.url).href)).text;
  console.log(page.status, text);
}
