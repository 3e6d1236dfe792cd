// An upstream in Auth0's shape on a real, certified implementation: npm
// oidc-provider. The broker must cope with what others wrote, not only with
// the stand-in of its own authors.
//
// Auth0's shape means: an issuer that ends in a slash, Auth0's paths, claims
// by scope in the ID token itself, updated_at as a string, sid in every ID
// token, amr only after a second factor, "audience" for an API's access
// token, and no consent page for first-party applications. One thing stays
// the library's: userinfo refuses an access token that has an audience.
//
// Configuration: {
//   port:    0 (any) by default, always on 127.0.0.1;
//   issuer:  the address itself by default; another when a test puts a proxy
//            in front, to break answers on the way;
//   clients: client metadata in the terms of dynamic registration;
//   users:   {username: {password, mfa, claims}} with at least claims.sub;
//            by default ada@example.com, password not-a-secret;
//            mfa: the user passes a second factor }
// Announces {issuer, address}; takes no commands.

import { config, say, serve } from './lines.mjs';

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

import { loginPage, logoutPage, parseForm } from './upstream_pages.mjs';

const settings = config();

const users = new Map(Object.entries(settings.users ?? {
  'ada@example.com': {
    password: 'not-a-secret',
    claims: {
      sub: 'auth0|ada',
      name: 'Ada Example',
      given_name: 'Ada',
      family_name: 'Example',
      nickname: 'ada',
      picture: 'https://example.com/ada.png',
      updated_at: '2026-01-02T03:04:05.678Z',
      email: 'ada@example.com',
      email_verified: true,
      'https://example.com/groups': ['staff', 'admin'],
    },
  },
}));

const server = createServer();
await new Promise((resolve) => { server.listen(settings.port ?? 0, '127.0.0.1', resolve); });
const address = `http://127.0.0.1:${server.address().port}/`;
const issuer = settings.issuer ?? address;

const provider = new Provider(issuer, {
  clients: settings.clients ?? [],
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },

  routes: {
    authorization: '/authorize',
    token: '/oauth/token',
    userinfo: '/userinfo',
    jwks: '/.well-known/jwks.json',
    end_session: '/oidc/logout',
    revocation: '/oauth/revoke',
    pushed_authorization_request: '/oauth/par',
  },

  conformIdTokenClaims: false,
  claims: {
    openid: ['sub', 'sid', 'amr', ...customClaims()],
    profile: ['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'picture', 'updated_at'],
    email: ['email', 'email_verified'],
  },
  scopes: ['openid', 'offline_access'],
  extraParams: ['audience', 'connection', 'connection_scope', 'invitation', 'organization', 'screen_hint'],

  findAccount,
  loadExistingGrant: grantEverything,
  // The library honours offline_access only together with prompt=consent,
  // which Auth0 does not ask for. So whoever has the grant gets a refresh
  // token, one that outlives the session.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: true,

  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = logoutPage(form); },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf?.[0] ?? ctx.oidc.params.audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, audience) => ({
        audience,
        scope: '',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

provider.on('server_error', (ctx, err) => console.error(err));

const serveProvider = provider.callback();
server.on('request', (req, res) => {
  const handler = req.url.startsWith('/interaction/') ? interaction : serveProvider;
  Promise.resolve(handler(req, res)).catch((err) => {
    console.error(err);
    res.writeHead(500).end();
  });
});

say({ issuer, address });
await serve();

// interaction is the login page: one plain form, which posts to itself.
async function interaction(req, res) {
  const { prompt } = await provider.interactionDetails(req, res);
  if (prompt.name === 'consent') {
    await provider.interactionFinished(req, res, { consent: {} });
    return;
  }
  if (req.method !== 'POST') {
    respond(res, 200, loginPage());
    return;
  }
  const form = await parseForm(req);
  if (form.get('decision') === 'cancel') {
    await provider.interactionFinished(req, res, {
      error: 'access_denied',
      error_description: 'User did not authorize the request',
    });
    return;
  }
  const user = users.get(form.get('username'));
  if (!user || user.password !== form.get('password')) {
    respond(res, 400, loginPage('Wrong username or password'));
    return;
  }
  await provider.interactionFinished(req, res, {
    login: { accountId: user.claims.sub, ...(user.mfa && { amr: ['mfa'] }) },
  });
}

function respond(res, status, html) {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  res.end(html);
}

// The source is the code or token being redeemed: the session it came from
// gives the sid, which Auth0 shares between all applications of a session.
// With back-channel logout the library sets its own sid per client over this.
function findAccount(ctx, sub, source) {
  const user = [...users.values()].find(({ claims }) => claims.sub === sub);
  return user && {
    accountId: sub,
    claims: () => ({
      ...user.claims,
      ...(source?.sessionUid && { sid: createHash('sha256').update(source.sessionUid).digest('base64url') }),
    }),
  };
}

async function grantEverything(ctx) {
  const grant = new provider.Grant({
    clientId: ctx.oidc.client.clientId,
    accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope('openid profile email offline_access');
  await grant.save();
  return grant;
}

// Auth0 puts what an Action sets under a namespace into every ID token.
function customClaims() {
  const names = [...users.values()].flatMap(({ claims }) => Object.keys(claims));
  return [...new Set(names)].filter((name) => name.includes('://'));
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    ...privateKey.export({ format: 'jwk' }), kid: 'upstream-1', use: 'sig', alg: 'RS256',
  };
}
