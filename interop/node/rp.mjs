// A relying party on npm openid-client, a certified implementation, with the
// check it leaves off by default switched on: signatures of ID tokens that
// came straight from the token endpoint.
//
// Configuration: {
//   issuer, client_id, redirect_uri;
//   client_secret: none makes a public client;
//   auth:     "client_secret_basic" (default) or "client_secret_post";
//   metadata: further client metadata, as id_token_signed_response_alg }
// Announces {issuer, metadata}: what discovery found. Commands:
//   begin   {scope, params}   -> {url}                the authorization request
//   finish  {callback, skip_userinfo}  -> {claims, userinfo, tokens}
//   refresh {token}           -> {claims, tokens}     by default the last token
//   userinfo {}               -> the userinfo response
//   introspect {token}, revoke {token}
//   verify  {token, audience, typ, algorithms} -> {header, claims}    by jose
//   end_session {post_logout_redirect_uri, state} -> {url}

import { config as argument, say, serve } from './lines.mjs';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';

const settings = argument();
const relyingParty = await discover();
const metadata = relyingParty.serverMetadata();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));

const pending = new Map(); // state -> what the answer is checked against
let session; // the last tokens

say({ issuer: metadata.issuer, metadata });
await serve({
  begin, finish, refresh, userinfo, introspect, revoke, verify, end_session: endSession,
});

async function discover() {
  const issuer = new URL(settings.issuer);
  const found = await oidc.discovery(issuer, settings.client_id, settings.metadata, clientAuthentication(), {
    // Loopback without TLS; every other check of the library stays on.
    execute: issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
  });
  oidc.enableNonRepudiationChecks(found);
  return found;
}

function clientAuthentication() {
  if (!settings.client_secret) return oidc.None();
  return settings.auth === 'client_secret_post'
    ? oidc.ClientSecretPost(settings.client_secret)
    : oidc.ClientSecretBasic(settings.client_secret);
}

async function begin({ scope = 'openid', params = {} }) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    ...(params.max_age !== undefined && { maxAge: Number(params.max_age) }),
  };
  pending.set(checks.expectedState, checks);
  const url = oidc.buildAuthorizationUrl(relyingParty, {
    redirect_uri: settings.redirect_uri,
    scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...params,
  });
  return { url };
}

async function finish({ callback, skip_userinfo: skipUserinfo }) {
  const url = new URL(callback);
  const state = url.searchParams.get('state');
  const checks = pending.get(state);
  if (!checks) throw new Error('callback with a state that no request of this client has');
  pending.delete(state);
  session = await oidc.authorizationCodeGrant(relyingParty, url, { ...checks, idTokenExpected: true });
  return { ...answer(), userinfo: skipUserinfo ? undefined : await userinfo() };
}

async function refresh({ token: previous = session.refresh_token }) {
  const renewed = await oidc.refreshTokenGrant(relyingParty, previous);
  const { sub } = session.claims();
  const claims = renewed.claims();
  if (claims && claims.sub !== sub) throw new Error('refresh changed the subject');
  session = renewed;
  // Without a new one the previous refresh token stays in use (RFC 6749, 6).
  session.refresh_token ??= previous;
  return answer();
}

function answer() {
  return { claims: session.claims(), tokens: session };
}

async function userinfo() {
  return oidc.fetchUserInfo(relyingParty, session.access_token, session.claims().sub);
}

async function introspect({ token }) {
  return oidc.tokenIntrospection(relyingParty, token);
}

async function revoke({ token }) {
  await oidc.tokenRevocation(relyingParty, token);
}

async function verify({ token, ...options }) {
  const { protectedHeader, payload } = await jwtVerify(token, keys, { issuer: metadata.issuer, ...options });
  return { header: protectedHeader, claims: payload };
}

async function endSession(params) {
  const url = oidc.buildEndSessionUrl(relyingParty, { id_token_hint: session.id_token, ...params });
  return { url };
}
