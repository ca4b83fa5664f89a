/** Says nothing. */
module.exports = () => () => {};
