module.exports = async function (context) {
  const groups = ;
};
