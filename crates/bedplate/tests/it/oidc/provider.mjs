// A real OpenID provider (panva's oidc-provider, certified by the OpenID Foundation) for the tests.
// Arguments: the folder with node_modules, the port. Whoever signs in as NAME has the address NAME@example.org; `root` is in
// the group admins, everybody else in data. Its key is made at its start, so that another start is another key.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, port] = process.argv.slice(2);
const entry = join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(entry).href);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
const device = 'urn:ietf:params:oauth:grant-type:device_code';
const client = (client_id, more) => ({
  client_id,
  application_type: 'native',
  grant_types: ['authorization_code', device],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/login/callback'],
  ...more,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  clients: [
    client('bedplate', { token_endpoint_auth_method: 'none' }),
    client('other', { token_endpoint_auth_method: 'none' }),
    client('confidential', { client_secret: 'a secret: with/odd+signs&', token_endpoint_auth_method: 'client_secret_basic' }),
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  conformIdTokenClaims: false,
  features: { deviceFlow: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.org`,
      email_verified: id !== 'unverified',
      name: id,
      groups: id === 'root' ? ['admins'] : ['data', 'system:masters'],
    }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('provider ready'));
