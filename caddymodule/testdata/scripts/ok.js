module.exports = async function (context) {
  return { authn_ctx: { groups: ["staff"] } };
};
