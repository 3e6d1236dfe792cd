// The pages of upstream.mjs: plain HTML without scripts, with ids that tests
// click on.

const page = (title, body) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;

export const loginPage = (message = '') => page('Log in to the tenant', `
<p id="tenant-message">${message}</p>
<form id="tenant-login-form" method="post">
<label for="username">Username</label> <input id="username" name="username" autocomplete="username" autofocus>
<label for="password">Password</label> <input id="password" name="password" type="password" autocomplete="current-password">
<button id="tenant-login" name="decision" value="login">Log in</button>
<button id="tenant-cancel" name="decision" value="cancel">Cancel</button>
</form>`);

// The form comes from oidc-provider, with its one-time value; the button below
// it belongs to it by its id.
export const logoutPage = (form) => page('Log out of the tenant', `
${form}
<button id="tenant-logout" form="op.logoutForm" name="logout" value="yes">Log out</button>`);

const formLimit = 16 * 1024;

export async function parseForm(req) {
  let body = '';
  for await (const chunk of req.setEncoding('utf8')) {
    body += chunk;
    if (body.length > formLimit) throw new Error('form too large');
  }
  return new URLSearchParams(body);
}
