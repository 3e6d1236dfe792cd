// A public client (an app without a secret, as in a browser or on a desktop)
// on npm oauth4webapi, which checks answers most strictly: RFC 9207 "iss",
// content types, cache headers, exact members.
//
// Configuration: {issuer, client_id, redirect_uri}.
// Announces {issuer, metadata}: what discovery found. Commands:
//   begin  {scope, params} -> {url}
//   finish {callback}      -> {claims, userinfo, tokens}

import { config, say, serve } from './lines.mjs';

import * as oauth from 'oauth4webapi';

const settings = config();
const issuer = new URL(settings.issuer);
const client = { client_id: settings.client_id };
const options = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
const pending = new Map(); // state -> {verifier, nonce}

say({ issuer: server.issuer, metadata: server });
await serve({ begin, finish });

async function begin({ scope = 'openid', params = {} }) {
  const state = oauth.generateRandomState();
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  pending.set(state, { verifier, nonce });
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: settings.redirect_uri,
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...params,
  });
  return { url };
}

async function finish({ callback }) {
  const url = new URL(callback);
  const state = url.searchParams.get('state');
  const checks = pending.get(state);
  if (!checks) throw new Error('callback with a state that no request of this client has');
  pending.delete(state);

  const params = oauth.validateAuthResponse(server, client, url, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), params, settings.redirect_uri, checks.verifier, options,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: checks.nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, response, options);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  return { claims, userinfo: await userinfo(tokens.access_token, claims.sub), tokens };
}

async function userinfo(accessToken, subject) {
  const response = await oauth.userInfoRequest(server, client, accessToken, options);
  return oauth.processUserInfoResponse(server, client, subject, response);
}
