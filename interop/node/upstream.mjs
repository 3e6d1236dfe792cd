// An upstream in Auth0's shape on a real, certified implementation: npm
// oidc-provider. The broker must cope with what others wrote, not only with
// the stand-in of its own authors.
//
// Auth0's shape means: an issuer that ends in a slash, Auth0's paths, claims
// by scope in the ID token itself, updated_at as a string, sid in every ID
// token, amr only after a second factor, "audience" for an API's access
// token, which userinfo takes as well, and no consent page for first-party
// applications. The library's userinfo refuses such a token, so that for it
// the answer is made here.
//
// Configuration: {
//   port:    0 (any) by default, always on 127.0.0.1;
//   issuer:  the address itself by default; another when a test puts a proxy
//            in front, to break answers on the way;
//   clients: client metadata in the terms of dynamic registration;
//   users:   {username: {password, mfa, claims, id_token, access_token,
//            userinfo}} with at least claims.sub; the last three are claims
//            of that document alone; by default ada@example.com, password
//            not-a-secret; mfa: the user passes a second factor }
// A claim "integer:123" is told as the number 123, of any size.
// Announces {issuer, address}; takes no commands.

import { config, say, serve } from './lines.mjs';

import {
  createHash, createPublicKey, generateKeyPairSync, randomBytes,
} from 'node:crypto';
import { createServer } from 'node:http';

import { jwtVerify } from 'jose';
import { Provider } from 'oidc-provider';

import { loginPage, logoutPage, parseForm } from './upstream_pages.mjs';

const settings = config();

// JavaScript rounds integers beyond 2^53. Upstreams in other languages do not.
const stringify = JSON.stringify;
JSON.stringify = (...args) => stringify(...args)?.replace(/"integer:(-?\d+)"/g, '$1');

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
const jwks = { keys: [signingKey()] };

const scopeClaims = {
  openid: ['sub', 'sid', 'amr', ...customClaims()],
  profile: ['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'picture', 'updated_at'],
  email: ['email', 'email_verified'],
};

const provider = new Provider(issuer, {
  clients: settings.clients ?? [],
  jwks,
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
  claims: scopeClaims,
  scopes: ['openid', 'offline_access'],
  extraParams: ['audience', 'connection', 'connection_scope', 'invitation', 'organization', 'screen_hint'],

  findAccount,
  extraTokenClaims: accessTokenClaims,
  formats: { customizers: { jwt: shapeAccessToken } },
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

provider.use(async (ctx, next) => {
  if (ctx.path !== '/userinfo' || !await tellUserinfo(ctx)) await next();
});

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
  const user = userOf(sub);
  return user && {
    accountId: sub,
    claims: (document) => ({
      ...user.claims,
      ...user[document],
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

function userOf(sub) {
  return [...users.values()].find(({ claims }) => claims.sub === sub);
}

function isCustom(name) {
  return name.includes('://');
}

// Auth0 puts what an Action sets under a namespace into every document.
function customClaims() {
  const names = [...users.values()].flatMap(({ claims, id_token: own, userinfo }) => Object.keys({ ...claims, ...own, ...userinfo }));
  return [...new Set(names)].filter(isCustom);
}

function accessTokenClaims(ctx, token) {
  if (token.kind !== 'AccessToken' || !token.aud) return undefined;
  const { claims, access_token: own } = userOf(token.accountId);
  return { ...pick(claims, isCustom), ...own };
}

function pick(claims, wanted) {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => wanted(name)));
}

// The library gives an API's token the scopes of the API alone, of which there
// are none here. Auth0 adds those of the sign-in, and userinfo as an audience.
function shapeAccessToken(ctx, token, jwt) {
  const { AuthorizationCode: code, RefreshToken: refresh } = ctx.oidc.entities;
  jwt.payload.scope = (code ?? refresh).scope;
  jwt.payload.aud = [jwt.payload.aud, `${issuer}userinfo`];
}

// tellUserinfo answers if the access token is a JWT.
async function tellUserinfo(ctx) {
  const token = ctx.get('authorization').replace(/^Bearer /, '');
  if (token.split('.').length !== 3) return false;
  const { payload } = await jwtVerify(token, createPublicKey({ key: jwks.keys[0], format: 'jwk' }), { issuer, audience: `${issuer}userinfo` });
  const { claims, userinfo } = userOf(payload.sub);
  const told = new Set(payload.scope.split(' ').flatMap((scope) => scopeClaims[scope] ?? []));
  ctx.body = pick({ ...claims, ...userinfo }, (name) => told.has(name));
  return true;
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    ...privateKey.export({ format: 'jwk' }), kid: 'upstream-1', use: 'sig', alg: 'RS256',
  };
}
